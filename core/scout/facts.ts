/**
 * @file The facts of a statement that a rewriting must not lose: code, links, references, versions, paths, names, quoted texts, errors. Found by
 * their form alone, so that the check does not depend on a model.
 */

/** What cannot be said in other words. Order matters: an earlier form claims its text. */
const forms: readonly RegExp[] = [
  /```[^\n]*\n([\s\S]*?)```/g, // code blocks, by their lines
  /\bhttps?:\/\/[^\s<>()"'`\]]+/g,
  /`([^`\n]+)`/g,
  /\b[\w.-]*(?:Error|Exception|Warning)\b(?::[^\n]*)?/g,
  /"([^"\n]{3,120})"/g,
  /(?:^|[\s(])((?:[\w.-]+\/)+[\w.-]+\.\w+)/g, // paths
  /(?:\b[\w.-]+\/[\w.-]+)?#\d+\b/g, // issues and pull requests
  /\b[0-9a-f]{7,40}\b/g, // commits
  /\bv?\d+(?:\.\d+)+(?:[a-z]+\d*)?\b/g, // versions and decimals
  /\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?:\(\))?/g, // dotted names
  /\b[A-Za-z]\w*_\w+\b/g,
  /\b\w+\(\)/g,
];

/** Distinct, in the order of the text; a code block gives one fact a line. */
export function factsOf(statement: string): readonly string[] {
  const found: { readonly at: number; readonly text: string }[] = [];
  let rest = statement;
  for (const form of forms) {
    rest = rest.replace(form, (whole: string, ...groups: unknown[]) => {
      const [inner, at] = typeof groups[0] === 'string' ? [groups[0], groups[1]] : [whole, groups[0]];
      for (const line of inner.split('\n')) if (/\w/.test(line)) found.push({ at: at as number, text: line.trim() });
      return ' '.repeat(whole.length);
    });
  }
  return [...new Set(found.toSorted((a, b) => a.at - b.at).map(({ text }) => text))];
}

/** Those that the text does not contain, whatever its line breaks and spaces. */
export function lostFacts(statement: string, text: string): readonly string[] {
  const flat = flattened(text);
  return factsOf(statement).filter((fact) => !flat.includes(flattened(fact)));
}

function flattened(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
