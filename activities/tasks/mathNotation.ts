/** @file Brings an answer, in LaTeX or as typed on a keyboard, into the LaTeX that the compute engine reads. */

export const longestExpression = 2_000;

export function toLatex(text: string): string {
  const bare = withoutFrame(text);
  return bare.includes('\\') ? bare : fromKeyboard(bare);
}

/** Takes away what frames an expression: dollar signs, \boxed, the full stop, spacing, units in \text. */
function withoutFrame(text: string): string {
  return text
    .trim()
    .replace(/^\\boxed\{(.*)\}$/s, '$1')
    .replace(/^\$\$?(.*?)\$\$?$/s, '$1')
    .replace(/^\\[([](.*)\\[)\]]$/s, '$1')
    .replace(/[\u2212\u2013]/g, '-')
    .replace(/\\(?:!|,|;|:|quad|qquad)(?![a-zA-Z])/g, ' ')
    .replace(/\{,\}/g, ',')
    .replace(/\\\$/g, '')
    .replace(/\\[dt]frac/g, '\\frac')
    .replace(/\\(?:text|mathrm)\{\s*[a-zA-Z./ ]+\}(?:\^\{?[23]\}?)?\s*$/, '')
    .replace(/\^\{?\\circ\}?\s*$/, '')
    .replace(/(?<![\d.])(\d{1,3}(?:,\d{3})+)(?![\d,])(?=[^,()[\]{}]*$)/g, (number) => number.replaceAll(',', ''))
    .trim()
    .replace(/\.$/, '');
}

const functions = /(?<![a-zA-Z\\])(sqrt|sin|cos|tan|ln|log|exp|arcsin|arccos|arctan)\(/g;

/** `sqrt(2)*x**10` → `\sqrt{2}*x^{10}`. */
function fromKeyboard(text: string): string {
  const powers = text.replaceAll('**', '^').replace(/\^(-?\d+)/g, '^{$1}');
  const called = powers.replace(functions, (_, name: string) => (name === 'sqrt' ? '\\sqrt(' : `\\${name}(`));
  return bracedRoots(called)
    .replace(/(?<![a-zA-Z\\])pi(?![a-zA-Z])/g, '\\pi ')
    .replace(/(?<![a-zA-Z\\])(?:inf|infinity|oo)(?![a-zA-Z])/gi, '\\infty ')
    .replaceAll('*', '\\cdot ')
    .replaceAll('%', '\\%');
}

/** `\sqrt(a)` → `\sqrt{a}`, whatever brackets are inside. */
function bracedRoots(text: string): string {
  const start = text.indexOf('\\sqrt(');
  if (start === -1) return text;
  const open = start + '\\sqrt'.length;
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth += 1;
    else if (text[i] === ')') depth -= 1;
    if (depth === 0) return `${text.slice(0, open)}{${bracedRoots(text.slice(open + 1, i))}}${bracedRoots(text.slice(i + 1))}`;
  }
  return text;
}
