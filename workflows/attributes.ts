/** @file Typed search attributes: which workflow can be found by what. Names and types are those of core/run/names.ts. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { Outcome } from '../core/rollout/types.ts';
import type { searchAttributes } from '../core/run/names.ts';
import type { Phase } from '../core/run/types.ts';
import type { ScoutPhase } from '../core/scout/run.ts';

export interface Findable {
  /** Of a run, or of a scout. */
  readonly run?: string;
  readonly phase?: Phase | ScoutPhase;
  readonly family?: string;
  /** Of one rollout, or of all rollouts of a group when they agree. */
  readonly outcome?: Outcome | 'mixed';
  readonly step?: number;
  readonly policyVersion?: number;
  readonly reward?: number | undefined;
}

const keys = {
  run: defineSearchAttributeKey('TurnwiseRun' satisfies keyof typeof searchAttributes, 'KEYWORD'),
  phase: defineSearchAttributeKey('TurnwisePhase' satisfies keyof typeof searchAttributes, 'KEYWORD'),
  family: defineSearchAttributeKey('TurnwiseFamily' satisfies keyof typeof searchAttributes, 'KEYWORD'),
  outcome: defineSearchAttributeKey('TurnwiseOutcome' satisfies keyof typeof searchAttributes, 'KEYWORD'),
  step: defineSearchAttributeKey('TurnwiseStep' satisfies keyof typeof searchAttributes, 'INT'),
  policyVersion: defineSearchAttributeKey('TurnwisePolicyVersion' satisfies keyof typeof searchAttributes, 'INT'),
  reward: defineSearchAttributeKey('TurnwiseReward' satisfies keyof typeof searchAttributes, 'DOUBLE'),
} as const;

export function attributes(values: Findable): SearchAttributePair[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ key: keys[name as keyof Findable], value }) as SearchAttributePair);
}

/** One event in the history: once a phase or a step, never once a turn. */
export function announce(values: Findable): void {
  upsertSearchAttributes(attributes(values));
}
