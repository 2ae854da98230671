/** @file What one can say to a run, and what it answers. Names are those that `temporal workflow signal|query|update --name` takes. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Hyperparameters, Metrics, Phase, Progress } from '../core/run/types.ts';
import type { ScoutProgress } from '../core/scout/run.ts';

/** To `train`: stop between steps, or between commits of the warm-up; what is in flight finishes first. */
export const pauseSignal = defineSignal('pause');

/** Shown while a run is paused. */
export const pausedReason = 'paused by the operator; send `resume` to go on';

/** To `train`: go on after `pause`, or after a failure that waits for an operator. `train` passes it on to its child with the values it holds. */
export const resumeSignal = defineSignal<[Hyperparameters?]>('resume');

/** To `train`: end cleanly, with the reason on record. */
export const cancelSignal = defineSignal<[reason: string]>('cancel');

/** To `train`: checked before it is accepted; effective from the next step, or from the retried update of a parked one. */
export const setHyperparametersUpdate = defineUpdate<Hyperparameters, [Partial<Hyperparameters>]>('setHyperparameters');

/** To `train`: where the run stands. */
export const progressQuery = defineQuery<Progress>('progress');

/** To `scout`: its phase, its targets, what was spent. */
export const scoutProgressQuery = defineQuery<ScoutProgress>('progress');

/** From a child to `train`: where the child stands. */
export const childSignal = defineSignal<[ChildReport]>('child');

export interface ChildReport {
  readonly workflowId: string;
  readonly phase: Phase;
  /** Why it waits for an operator. */
  readonly reason?: string;
  readonly warmupStep?: number;
  readonly policyVersion?: number;
  readonly metrics?: Metrics;
}
