/** @file Activity `analyze`: one model call about one target, on its source and neighbours; its names are checked before anything is kept. */
import type { AnalysisAnswer } from '../core/scout/answers.ts';
import type { Finding } from '../core/scout/findings.ts';
import { type AnalyzedTarget, analyzePrompt } from '../core/scout/prompts/analyze.ts';
import type { ScoutTarget } from '../core/scout/run.ts';
import { placeOfTarget } from '../core/scout/staticSections.ts';
import type { OpenRepository } from '../core/scout/types.ts';
import { findingOf } from '../core/scout/validation.ts';
import { heartbeating } from './heartbeating.ts';
import { throwForGood } from './indexRepository.ts';
import { analysisAnswer } from './scout/answerSchemas.ts';
import { CallStore } from './scout/callStore.ts';
import { answered } from './scout/conversation.ts';
import type { ScoutDependencies } from './scout/dependencies.ts';
import { scoutPaths } from './scout/paths.ts';
import { Complaint } from './scout/readAnswer.ts';
import type { ScoutActivities } from './signatures.ts';

const mostNeighbours = 30;
const mostOutlined = 60;

export function createAnalyze({ home, store, ask, openRepository }: ScoutDependencies): ScoutActivities['analyze'] {
  return ({ scout, model, issue, repository, target }) =>
    heartbeating(async (signal, report) => {
      const open = await openRepository(repository).catch(throwForGood);
      const prompt = analyzePrompt(await store.fromText(issue), await readTarget(open, target));
      const accept = (answer: AnalysisAnswer): Finding => {
        checkShares(answer);
        return findingOf(target.id, placeOfTarget(target), answer, open.index, prompt.user);
      };
      const calls = new CallStore(scoutPaths(home, scout).calls);
      const { result, usage } = await answered({ stage: 'analyze', model, prompt, schema: analysisAnswer, accept }, { ask, calls, signal, report });
      return { finding: await store.put(Buffer.from(JSON.stringify(result))), relevance: result.relevance, usage };
    });
}

async function readTarget({ index, sourceOf }: OpenRepository, { entity, file, kind, span, reason }: ScoutTarget): Promise<AnalyzedTarget> {
  const source = await (kind === 'file' ? sourceOf(file) : sourceOf(file, span));
  const neighbours = index.neighbours(entity).filter(({ edge }) => edge !== 'contains');
  const declared = index.entitiesOf(file).filter((one) => one.kind !== 'file' && one.kind !== 'import');
  const outline = declared.slice(0, mostOutlined).map((one) => `lines ${one.span.startLine}-${one.span.endLine}: ${one.qualifiedName}: ${one.signature}`);
  return { name: entity, reason, source, neighbours: neighbours.slice(0, mostNeighbours), outline };
}

/** Strict schemas of some providers know no bounds for numbers, so they are checked here. */
function checkShares({ relevance, locations, role }: AnalysisAnswer): void {
  const wrong = [relevance, ...locations.map(({ confidence }) => confidence)].find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw new Complaint(`expected "relevance" and each "confidence" from 0 to 1, got ${wrong}`);
  if (role.trim() === '') throw new Complaint('expected "role" to say what the target does, got nothing');
}
