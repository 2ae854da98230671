/** @file The synthesis prompt: the original statement and the findings that were kept, and the sections that a better statement has. */
import type { Finding } from '../findings.ts';
import { clipped, dataRule, fenced } from './fence.ts';
import type { Prompt } from './prompt.ts';

const issueTokens = 10_000;
const findingTokens = 18_000;

export function synthesizePrompt(issue: string, findings: readonly Finding[]): Prompt {
  const tokensEach = Math.floor(findingTokens / Math.max(1, findings.length));
  const data = fenced([
    { name: 'issue', text: clipped(issue, issueTokens) },
    ...findings.map((finding) => ({ name: `finding ${finding.target}`, text: clipped(findingText(finding), tokensEach) })),
  ]);
  return { system: `${role}\n\n${dataRule}`, user: `${data}\n\n${request}` };
}

const role = `You rewrite an issue so that an engineer who does not know the repository can resolve it without exploring first. You have the original and what was found by
reading the source. The original is shown to the engineer word for word beside your text: complete it, never contradict it, invent nothing.`;

const request = `Answer with one JSON object and nothing else:
{
  "title": "one line",
  "description": [{"text": "a sentence or two of the completed description", "source": "issue, or the id of the finding it rests on, such as T3"}],
  "reproduction": [{"text": "one step", "code": "code of the step, or empty"}],
  "expected": ["a sentence on what should happen instead"],
  "files": [{"file": "path", "entity": "", "reason": "why to look there"}],
  "entities": [{"file": "path", "entity": "name inside the file", "reason": "why it matters"}],
  "locations": [{"file": "path", "entity": "name inside the file, or empty", "reason": "why the fix belongs there", "confidence": 0.0}],
  "hints": [{"text": "one hint for the implementation", "code": "a snippet, or empty", "source": "id of the finding it rests on"}]
}
"locations" holds only places that the findings support with a confidence of 0.5 or more. Say in a hint which other causes remain possible where the findings disagree.
Keep every fact of the original that you use as it is: versions, messages, names, links. Name only files and entities that the findings name. Put names of code in backticks.`;

function findingText({ target, place, role: targetRole, locations, insights, alternatives, relevance }: Finding): string {
  const { startLine, endLine } = place.span;
  return [
    `${target}: ${place.entity ?? place.file}, lines ${startLine}-${endLine}, relevance ${relevance}`,
    `Role: ${targetRole}`,
    ...locations.map(({ file, entity, reason, confidence }) => `Possible fix (${confidence}) in ${entity ?? file}: ${reason}`),
    ...insights.map((insight) => `Insight: ${insight}`),
    ...alternatives.map((alternative) => `Other cause: ${alternative}`),
  ].join('\n');
}
