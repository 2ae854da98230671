/**
 * @file The boundary of the workflows, scripted: activities that implement the signatures, answer at once, and remember what they were
 * asked. A scene belongs to one run; a test overrides the activities that its story is about.
 */
import { createHash, randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import type { LightActivities, PolicyActivities, SandboxActivities, TrainerActivities } from '../../activities/signatures.ts';
import { outcomeOf, outcomeReward } from '../../core/rollout/stopReasons.ts';
import type { Action, GenerateInput, GenerateResult, PlayedRollout, PolicyRef, TaskCard, TrajectorySummary } from '../../core/rollout/types.ts';

export type Activities = LightActivities & PolicyActivities & SandboxActivities & TrainerActivities;

/** One call of an activity, in the order in which they began. */
export type Call = { [Name in keyof Activities]: { readonly name: Name; readonly input: Parameters<Activities[Name]>[0] } }[keyof Activities];

export class Scene {
  readonly calls: Call[] = [];
  readonly #activities: Activities;

  constructor(sandboxQueue: string, overrides: (scripted: Activities) => Partial<Activities>) {
    const scripted = scriptedActivities(sandboxQueue);
    this.#activities = { ...scripted, ...overrides(scripted) };
  }

  async call<Name extends keyof Activities>(name: Name, input: Parameters<Activities[Name]>[0]): Promise<Awaited<ReturnType<Activities[Name]>>> {
    this.calls.push({ name, input } as Call);
    const activity = this.#activities[name] as (input: Parameters<Activities[Name]>[0]) => ReturnType<Activities[Name]>;
    return await activity(input);
  }

  inputs<Name extends keyof Activities>(name: Name): Parameters<Activities[Name]>[0][] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input as Parameters<Activities[Name]>[0]);
  }
}

export function policyRef(policyVersion: number): PolicyRef {
  return { policyVersion, checkpoint: `checkpoints/global_step_${policyVersion}`, manifestSha256: sha256(`policy ${policyVersion}`) };
}

export function taskCard(index: number, split: 'train' | 'heldOut' = 'train', limits: Partial<TaskCard> = {}): TaskCard {
  return {
    ref: { source: 'chain', split, index },
    id: `chain/${split}/${index}`,
    family: 'chain',
    summary: `What is the age of number ${index}?`,
    maxTurns: 3,
    tokenBudget: 160,
    toolRequired: true,
    ...limits,
  };
}

/** Plays the given actions, one a turn, and fails loudly when it is asked for more. */
export function cannedPolicy(actions: (input: GenerateInput) => readonly Action[]): PolicyActivities['generate'] {
  return async (input) => {
    const action = actions(input)[input.turn];
    if (action === undefined) {
      const asked = `${input.task.source}/${input.task.split}/${input.task.index} r${input.sibling} turn ${input.turn}`;
      throw ApplicationFailure.nonRetryable(`the canned policy has no action left for ${asked}`, 'CannedPolicyExhausted');
    }
    return generated(input, action);
  };
}

export function generated(input: GenerateInput, action: Action): GenerateResult {
  const base64 = Buffer.from(`segment of turn ${input.turn}`).toString('base64');
  return { segment: { base64 }, sampledTokens: 4, contextTokens: 10 * (input.turn + 1), finishReason: 'stop', action };
}

export const code = (text: string): Action => ({ kind: 'code', code: { text } });
export const answer = (text: string): Action => ({ kind: 'answer', answer: { text } });

/** Odd siblings solve their task in two turns, even ones answer wrongly. */
export const halfRight = cannedPolicy(({ sibling }) => [code("boss('kj')"), answer(sibling % 2 === 1 ? 'right' : 'wrong')]);

function scriptedActivities(sandboxQueue: string): Activities {
  return {
    drawTasks: async ({ split, offset, count }) => Array.from({ length: count }, (_, i) => taskCard(offset + i, split)),
    generate: halfRight,
    generateForEvaluation: halfRight,
    execute: async ({ rollout, sandbox, code }) => ({
      sandbox: sandbox ?? { taskQueue: sandboxQueue, id: `${rollout}#${randomUUID().slice(0, 8)}`, backend: 'scripted' },
      execution: { exitCode: 0, timedOut: false, outOfMemory: false, truncated: false, durationMs: 1, result: { text: '{}' } },
      observation: { text: `value of ${'text' in code ? code.text : 'it'}` },
      replayed: false,
      committed: true,
      ended: false,
    }),
    closeSandboxes: async () => {},
    grade: async ({ rollouts }) => ({ trajectories: artifact(JSON.stringify(rollouts)), summaries: rollouts.map(summaryOf) }),
    advantages: async ({ step, groups }) => ({
      batch: artifact(`batch ${step}`),
      metrics: { 'reward/mean': 0.5, 'solved/mean': 0.5, 'groups/credited': groups.filter(({ failure }) => failure === undefined).length },
    }),
    recordStep: async () => {},
    recordEvaluation: async () => {},
    writeReport: async () => {},
    prepareRun: async () => ({ policy: policyRef(0), warmupStep: 0, step: 0, before: [], warnings: [] }),
    warmUp: async () => ({ policy: policyRef(0), metrics: { loss: 1.5 } }),
    update: async ({ policy, hyperparameters: { lr } }) => ({ policy: policyRef(policy.policyVersion + 1), metrics: { kl: 0.01, lr } }),
  };
}

/** The answer `right` solves a task. */
export function summaryOf(rollout: PlayedRollout): TrajectorySummary {
  const action = rollout.turns.at(-1)?.action;
  const given = action?.kind === 'answer' && 'text' in action.answer ? action.answer.text : undefined;
  const outcome = outcomeOf(rollout.stopReason, given === undefined ? undefined : given === 'right');
  return {
    sibling: rollout.sibling,
    taskId: `${rollout.task.source}/${rollout.task.split}/${rollout.task.index}`,
    outcome,
    stopReason: rollout.stopReason,
    outcomeReward: outcomeReward(outcome),
    turns: rollout.turns.length,
    sampledTokens: rollout.turns.reduce((sum, turn) => sum + turn.sampledTokens, 0),
    formatViolations: rollout.turns.filter((turn) => turn.formatViolation).length,
  };
}

function artifact(content: string): { readonly sha256: string; readonly byteLength: number } {
  return { sha256: sha256(content), byteLength: content.length };
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}
