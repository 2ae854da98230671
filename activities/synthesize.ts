/** @file Activity `synthesize`: one model call that turns the kept findings into the sections of a better statement. */
import type { SynthesisAnswer } from '../core/scout/answers.ts';
import type { Finding, Synthesis } from '../core/scout/findings.ts';
import { synthesizePrompt } from '../core/scout/prompts/synthesize.ts';
import { synthesisOf } from '../core/scout/validation.ts';
import { heartbeating } from './heartbeating.ts';
import { throwForGood } from './indexRepository.ts';
import { synthesisAnswer } from './scout/answerSchemas.ts';
import { CallStore } from './scout/callStore.ts';
import { answered } from './scout/conversation.ts';
import type { ScoutDependencies } from './scout/dependencies.ts';
import { scoutPaths } from './scout/paths.ts';
import { Complaint } from './scout/readAnswer.ts';
import { readFinding } from './scout/readFinding.ts';
import type { ScoutActivities } from './signatures.ts';

export function createSynthesize({ home, store, ask, openRepository }: ScoutDependencies): ScoutActivities['synthesize'] {
  return ({ scout, model, issue, repository, targets }) =>
    heartbeating(async (signal, report) => {
      const { index } = await openRepository(repository).catch(throwForGood);
      const findings = await Promise.all(targets.map((target) => readFinding(store, target)));
      // The most relevant first; what is equal keeps the order of scoping.
      const ordered = findings.filter((finding) => finding !== undefined).toSorted((a: Finding, b: Finding) => b.relevance - a.relevance);
      const prompt = synthesizePrompt(await store.fromText(issue), ordered);
      const accept = (answer: SynthesisAnswer): Synthesis => {
        checkSaid(answer);
        return synthesisOf(answer, ordered, index, prompt.user);
      };
      const calls = new CallStore(scoutPaths(home, scout).calls);
      const { result, usage } = await answered({ stage: 'synthesize', model, prompt, schema: synthesisAnswer, accept }, { ask, calls, signal, report });
      return { synthesis: await store.put(Buffer.from(JSON.stringify(result))), usage };
    });
}

function checkSaid({ title, description, locations }: SynthesisAnswer): void {
  if (title.trim() === '') throw new Complaint('expected a title, got nothing');
  if (description.length === 0) throw new Complaint('expected at least one sentence in "description", got none');
  const wrong = locations.find(({ confidence }) => !(confidence >= 0 && confidence <= 1));
  if (wrong) throw new Complaint(`expected each "confidence" from 0 to 1, got ${wrong.confidence}`);
}
