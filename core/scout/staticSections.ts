/** @file The report's sections without a synthesis: from the original statement, the targets that scoping found and the findings there are. */
import type { Finding, FixLocation, ImplementationHint, NamedPlace, Place, Synthesis } from './findings.ts';
import type { ScoutTarget } from './run.ts';
import { codeBlocksOf, firstLineOf, sentencesAbout } from './statement.ts';

const mostFiles = 8;
const mostEntities = 10;
const mostLocations = 5;

export function sectionsOf(original: string, targets: readonly ScoutTarget[], findings: ReadonlyMap<string, Finding>): Synthesis {
  const kept = targets.filter(({ state }) => state === 'kept');
  // With nothing kept, where one would look first is still worth saying.
  const shown = kept.length > 0 ? kept : targets;
  const found = shown.flatMap(({ id }) => findings.get(id) ?? []);
  return {
    title: firstLineOf(original),
    description: found.map(({ role, place }) => ({ text: role, place })).filter(({ text }) => text !== ''),
    reproduction: codeBlocksOf(original).map((code) => ({ text: 'As the original statement has it:', code })),
    expected: sentencesAbout(original, /\b(expect\w*|should|ought to|supposed to)\b/i),
    files: filesOf(shown).slice(0, mostFiles),
    entities: shown
      .filter(({ kind }) => kind !== 'file')
      .slice(0, mostEntities)
      .map((target) => ({ ...placeOfTarget(target), reason: target.reason })),
    locations: locationsOf(shown, found),
    hints: found.flatMap(hintsOf),
    unresolved: [],
  };
}

export function placeOfTarget({ kind, file, span, entity }: ScoutTarget): Place {
  return kind === 'file' ? { file, span: { startLine: 1, endLine: 1 } } : { file, span, entity };
}

/** Each file once, where its best target is, with the reasons of all its targets. */
function filesOf(targets: readonly ScoutTarget[]): readonly NamedPlace[] {
  const files = new Map<string, ScoutTarget[]>();
  for (const target of targets) files.set(target.file, [...(files.get(target.file) ?? []), target]);
  return [...files].map(([file, [best, ...others]]) => {
    const also = others.length === 0 ? '' : `; ${others.length} more target${others.length > 1 ? 's' : ''} in it`;
    return { file, span: { startLine: 1, endLine: 1 }, reason: `${best?.reason}${also}` };
  });
}

/** Where analyses would change something, as likely as not. Without any analysis none: nobody has read the source. */
function locationsOf(targets: readonly ScoutTarget[], findings: readonly Finding[]): readonly FixLocation[] {
  const best = new Map<string, FixLocation>();
  for (const location of findings.flatMap(({ locations }) => locations)) {
    const key = location.entity ?? location.file;
    if ((best.get(key)?.confidence ?? -1) < location.confidence) best.set(key, location);
  }
  const confident = [...best.values()].filter(({ confidence }) => confidence >= 0.5);
  return confident.toSorted((a, b) => b.confidence - a.confidence || rankOf(targets, a) - rankOf(targets, b)).slice(0, mostLocations);
}

function rankOf(targets: readonly ScoutTarget[], { file }: Place): number {
  const at = targets.findIndex((target) => target.file === file);
  return at < 0 ? targets.length : at;
}

function hintsOf({ insights, alternatives, place }: Finding): readonly ImplementationHint[] {
  const hint = (text: string): ImplementationHint => ({ text, code: '', place });
  return [...insights.map(hint), ...alternatives.map((alternative) => hint(`Another possible cause: ${alternative}`))];
}
