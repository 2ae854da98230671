/** @file Activity `scope`: one model call that chooses where to look, starting from the static candidates. */
import type { ScopeAnswer } from '../core/scout/answers.ts';
import { scopePrompt } from '../core/scout/prompts/scope.ts';
import type { ScopeCallResult } from '../core/scout/run.ts';
import type { RepositoryIndex } from '../core/scout/types.ts';
import { type ChosenTarget, chosenTargets } from '../core/scout/validation.ts';
import { heartbeating } from './heartbeating.ts';
import { throwForGood } from './indexRepository.ts';
import { scopeAnswer } from './scout/answerSchemas.ts';
import { CallStore } from './scout/callStore.ts';
import { answered } from './scout/conversation.ts';
import type { ScoutDependencies } from './scout/dependencies.ts';
import { scoutPaths } from './scout/paths.ts';
import { Complaint } from './scout/readAnswer.ts';
import type { ScoutActivities } from './signatures.ts';

const longestReason = 240;
const longestSignature = 200;
const mostUnresolved = 30;

export function createScope({ home, store, ask, openRepository }: ScoutDependencies): ScoutActivities['scope'] {
  return ({ scout, model, issue, candidates }) =>
    heartbeating(async (signal, report) => {
      const { index } = await openRepository(candidates.repository).catch(throwForGood);
      const prompt = scopePrompt(await store.fromText(issue), candidates);
      const accept = (answer: ScopeAnswer) => accepted(answer, index);
      const calls = new CallStore(scoutPaths(home, scout).calls);
      const { result, usage } = await answered({ stage: 'scope', model, prompt, schema: scopeAnswer, accept }, { ask, calls, signal, report });
      return { ...result, usage };
    });
}

function accepted(answer: ScopeAnswer, index: RepositoryIndex): Omit<ScopeCallResult, 'usage'> {
  const { targets, unresolved } = chosenTargets(answer, index);
  if (targets.length === 0) {
    const names = unresolved.slice(0, 5).join(', ') || 'none';
    throw new Complaint(`expected targets that the repository has, got ${names}; use files and entities as the candidates list them`);
  }
  return { targets: targets.map(targetOf), unresolved: unresolved.slice(0, mostUnresolved).map((name) => name.slice(0, longestReason)) };
}

function targetOf({ entity: { id, file, kind, span, signature }, reason }: ChosenTarget): ScopeCallResult['targets'][number] {
  return { file, entity: id, kind, span, signature: signature.slice(0, longestSignature), reason: reason.slice(0, longestReason) };
}
