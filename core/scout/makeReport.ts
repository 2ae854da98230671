/** @file Puts a report together from what the stages left. Pure, and without the clock or the scout's name: the same parts give the same bytes. */
import { dollarsOf, sumOfUsage } from './budget.ts';
import { factsOf, lostFacts } from './facts.ts';
import type { Finding, Synthesis } from './findings.ts';
import { renderMarkdown } from './markdown.ts';
import type { ReportedTarget, ReportParts, ScoutReport } from './report.ts';
import type { ScoutTarget, StageUsage, TokenPrice } from './run.ts';
import { sectionsOf } from './staticSections.ts';

export interface RenderedReport {
  readonly report: ScoutReport;
  readonly markdown: string;
}

/** @throws Error when the original statement, or a fact of it, is not in the text: a bug here, and never to be handed on. */
export function makeReport(parts: ReportParts): RenderedReport {
  const { original, model, usage } = parts;
  const sections = parts.synthesis ?? sectionsOf(original, parts.targets, parts.findings);
  const draft: ScoutReport = {
    version: 1,
    method: 'CodeScout, arXiv 2603.05744',
    mode: model === null ? 'static' : 'model',
    model: model && { provider: model.provider, name: model.name },
    repository: { commit: parts.commit, contentHash: parts.contentHash, index: withoutParsed(parts.summary) },
    complete: parts.notes.length === 0,
    notes: parts.notes,
    original,
    sections,
    targets: parts.targets.map((target) => reportedTarget(target, parts.findings.get(target.id))),
    facts: { stated: factsOf(original).length, lost: [], onlyInOriginal: lostFacts(original, ownWordsOf(sections)) },
    unresolved: unresolvedOf(parts, sections),
    relevanceThreshold: parts.limits.relevance,
    usage: { ...usage, total: sumOfUsage(usage.scope, usage.analyze, usage.synthesize) },
    cost: costOf(usage, model?.price),
  };
  const markdown = renderMarkdown(draft);
  const lost = lostFacts(original, markdown);
  if (!markdown.includes(original) || lost.length > 0) {
    throw new Error(`report: expected the original statement word for word in it, got a text without ${lost.join(', ') || 'some of its lines'}`);
  }
  return { report: draft, markdown };
}

/** How many files came from the cache says nothing about the repository. */
function withoutParsed({ parsed: _, ...summary }: ReportParts['summary']): ScoutReport['repository']['index'] {
  return summary;
}

function reportedTarget({ finding: _, ...target }: ScoutTarget, found: Finding | undefined): ReportedTarget {
  if (found === undefined) return target;
  const { target: __, ...finding } = found;
  return { ...target, finding };
}

function ownWordsOf({ title, description, reproduction, expected, hints }: Synthesis): string {
  const steps = reproduction.flatMap(({ text, code }) => [text, code]);
  return [title, ...description.map(({ text }) => text), ...steps, ...expected, ...hints.flatMap(({ text, code }) => [text, code])].join('\n');
}

function unresolvedOf({ unresolved, findings }: ReportParts, sections: Synthesis): readonly string[] {
  const all = [...unresolved, ...[...findings.values()].flatMap((finding) => finding.unresolved), ...sections.unresolved];
  return [...new Set(all)].toSorted();
}

function costOf(usage: StageUsage, price: TokenPrice | undefined): ScoutReport['cost'] {
  if (price === undefined) return null;
  const of = (one: StageUsage['scope']) => Number((dollarsOf(one, price) ?? 0).toFixed(6));
  const { scope, analyze, synthesize } = usage;
  return { scope: of(scope), analyze: of(analyze), synthesize: of(synthesize), total: of(sumOfUsage(scope, analyze, synthesize)) };
}
