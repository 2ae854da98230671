/** @file report.md: the sections of CodeScout's enriched statement (arXiv 2603.05744, figure 1), each claim with file:line@commit. */
import type { FixLocation, ImplementationHint, NamedPlace, Place, ReproductionStep, SourcedText } from './findings.ts';
import { provenance } from './provenance.ts';
import type { ScoutReport } from './report.ts';

export function renderMarkdown(report: ScoutReport): string {
  const { sections } = report;
  const at = (place: Place) => `\`${provenance(place, report.repository)}\``;
  const parts = [
    `# ${oneLine(sections.title) || 'Issue'}`,
    ...report.notes.map((note) => `> **Partial:** ${oneLine(note)}`),
    '## Issue Description',
    ...sections.description.map((one) => described(one, at)),
    'The original statement, word for word:',
    codeBlock(report.original, 4),
    '## Reproduction Steps',
    steps(sections.reproduction),
    '## Expected Behavior',
    sections.expected.length === 0 ? 'As the original statement says.' : sections.expected.map(paragraph).join('\n\n'),
    '## Exploration Hints',
    '### Files to Examine',
    list(sections.files.map((file) => `\`${file.file}\` (${at(file)}): ${oneLine(file.reason)}`)),
    '### Key Classes/Functions',
    list(sections.entities.map((entity) => named(entity, at))),
    '## Fix Hints',
    '### High Confidence Locations',
    list(
      sections.locations.map((location) => fixLocation(location, at)),
      report.mode === 'static' ? 'None: nothing was read by a model; the hints above come from a lexical search.' : 'None that the findings support.',
    ),
    '### Implementation Hints',
    list(sections.hints.map((hint) => implementationHint(hint, at))),
  ];
  return `${parts.join('\n\n')}\n`;
}

function described({ text, place }: SourcedText, at: (place: Place) => string): string {
  return `${paragraph(text)} (${place === null ? 'from the original statement' : at(place)})`;
}

function steps(reproduction: readonly ReproductionStep[]): string {
  if (reproduction.length === 0) return 'None stated beyond the original statement.';
  return reproduction.map(({ text, code }, i) => `${i + 1}. ${paragraph(text)}${code === '' ? '' : `\n\n${indented(codeBlock(code))}`}`).join('\n');
}

function named(place: NamedPlace, at: (place: Place) => string): string {
  return `\`${symbolOf(place)}\` in \`${place.file}\` (${at(place)}): ${oneLine(place.reason)}`;
}

function fixLocation(location: FixLocation, at: (place: Place) => string): string {
  const where = location.entity === undefined ? `\`${location.file}\`` : `\`${symbolOf(location)}\` in \`${location.file}\``;
  return `${where} (${at(location)}, confidence ${location.confidence.toFixed(2)}): ${oneLine(location.reason)}`;
}

function implementationHint({ text, code, place }: ImplementationHint, at: (place: Place) => string): string {
  return `${paragraph(text)} (${at(place)})${code === '' ? '' : `\n\n${indented(codeBlock(code))}`}`;
}

function symbolOf({ file, entity }: Place): string {
  return entity?.startsWith(`${file}:`) ? entity.slice(file.length + 1) : (entity ?? file);
}

function list(lines: readonly string[], none = 'None.'): string {
  return lines.length === 0 ? none : lines.map((line) => `- ${line}`).join('\n');
}

/** What somebody else wrote, on one line, unable to begin a heading, a list, a quote or a tag of its own. */
function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/<(?=[a-z/!?])/gi, '\\<');
}

function paragraph(text: string): string {
  return oneLine(text)
    .replace(/^(?=[#>=+*~|`-])(?!`[^`]+`(?!`))/, '\\')
    .replace(/^(\d+)([.)])(?=\s)/, '$1\\$2');
}

/** A fence longer than any inside. */
function codeBlock(code: string, least = 3): string {
  const longest = Math.max(0, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(Math.max(least, longest + 1));
  return `${fence}\n${code}${code.endsWith('\n') ? '' : '\n'}${fence}`;
}

function indented(block: string): string {
  return block.replace(/^(?=.)/gm, '   ');
}
