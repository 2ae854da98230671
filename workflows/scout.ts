/**
 * @file Completes an issue before an agent works on it: CodeScout (arXiv 2603.05744). Index → scope → one analysis a target, side by side →
 * filter → synthesis → report. Without a model the two ends remain. What cannot be had costs its part of the report, which says so.
 */
import { setHandler } from '@temporalio/workflow';
import type { ScoutInput, ScoutResult, SynthesizeResult } from '../core/scout/run.ts';
import type { IndexedRepository } from '../core/scout/types.ts';
import { scouting } from './activities.ts';
import { scoutProgressQuery } from './messages.ts';
import { ModelStages } from './modelStages.ts';
import { ScoutState } from './scoutState.ts';

/** What the scoping call chooses from; one answer of 40 stays below 64 KiB. */
const candidatesForModel = 40;

export async function scout(input: ScoutInput): Promise<ScoutResult> {
  const state = new ScoutState(input);
  setHandler(scoutProgressQuery, () => state.progress());
  const repository = await scouting.indexRepository.executeWithOptions({ summary: 'index' }, [input.repository]);
  state.indexed(repository);
  const { model } = input;
  const wanted = model === null ? input.limits.targets : candidatesForModel;
  const candidates = await scouting.scopeStatically.executeWithOptions({ summary: 'static scope' }, [{ repository, issue: input.issue, targets: wanted }]);
  if (model === null) {
    state.found(candidates.targets, 'kept');
    return report(input, state, repository);
  }
  const stages = new ModelStages(input, model, state, repository);
  state.found(await stages.scoped(candidates));
  await stages.analyzeAll();
  return report(input, state, repository, await stages.synthesized());
}

async function report(input: ScoutInput, state: ScoutState, repository: IndexedRepository, synthesis?: SynthesizeResult): Promise<ScoutResult> {
  state.enter('reporting');
  const { scout, model, issue, limits } = input;
  const { targets, unresolved, notes, usage } = state;
  const parts = { scout, model, issue, repository, targets, unresolved, notes, usage, limits };
  const written = await scouting.writeScoutReport.executeWithOptions({ summary: 'report' }, [
    { ...parts, ...(synthesis && { synthesis: synthesis.synthesis }) },
  ]);
  return state.finished(written);
}
