/** @file Activity `writeScoutReport`: report.md, report.json and report.html of a scout. The same input writes the same bytes; may be repeated. */
import type { Finding, Synthesis } from '../core/scout/findings.ts';
import { makeReport, type RenderedReport } from '../core/scout/makeReport.ts';
import type { WriteScoutReportInput } from '../core/scout/run.ts';
import { writeFileAtomic } from './artifacts/atomicWrite.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import type { ScoutDependencies } from './scout/dependencies.ts';
import { renderScoutPage } from './scout/page.ts';
import { scoutPaths } from './scout/paths.ts';
import { readFinding } from './scout/readFinding.ts';
import type { ScoutActivities } from './signatures.ts';

export function createWriteScoutReport({ home, store }: Pick<ScoutDependencies, 'home' | 'store'>): ScoutActivities['writeScoutReport'] {
  return (input) =>
    heartbeating(async () => {
      const { report, markdown } = await rendered(store, input);
      const paths = scoutPaths(home, input.scout);
      await writeFileAtomic(paths.json, `${JSON.stringify(report, null, 2)}\n`);
      await writeFileAtomic(paths.page, renderScoutPage(report));
      await writeFileAtomic(paths.markdown, markdown);
      return { markdown: await store.put(Buffer.from(markdown)), unresolved: report.unresolved.length };
    });
}

async function rendered(store: ArtifactStore, input: WriteScoutReportInput): Promise<RenderedReport> {
  const { repository, synthesis, issue, targets, model, unresolved, notes, usage, limits } = input;
  const { commit, contentHash, summary } = repository;
  const found = await Promise.all(targets.map(async (target) => [target.id, await readFinding(store, target)] as const));
  const findings = new Map(found.filter((entry): entry is [string, Finding] => entry[1] !== undefined));
  const sections = synthesis && (JSON.parse(Buffer.from(await store.get(synthesis)).toString('utf8')) as Synthesis);
  const original = await store.fromText(issue);
  const base = { model, commit, contentHash, summary, original, targets, findings, unresolved, notes, usage, limits };
  return makeReport({ ...base, ...(sections && { synthesis: sections }) });
}
