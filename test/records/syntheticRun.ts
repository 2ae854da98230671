/** @file Trajectories as grading leaves them, made from a seed: what the record tests and the report tests put through the real activities. */
import { mkdir, writeFile } from 'node:fs/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAdvantages } from '../../activities/advantages.ts';
import { runPaths } from '../../activities/artifacts/paths.ts';
import type { ArtifactStore } from '../../activities/artifacts/store.ts';
import { createRecordEvaluation } from '../../activities/recordEvaluation.ts';
import { createRecordStep } from '../../activities/recordStep.ts';
import { type Random, randomOf, seedOf } from '../../core/random.ts';
import type { Trajectory, TrajectoryTurn } from '../../core/rollout/trajectory.ts';
import type { ArtifactRef, Outcome, StopReason } from '../../core/rollout/types.ts';
import type { CreditConfig } from '../../core/run/config.ts';
import type { CreditInput, EvaluationResult } from '../../core/run/types.ts';

export const credit: CreditConfig = {
  method: 'gtpo',
  gamma: 0.9,
  alpha: 0.5,
  formatPenalty: 0.1,
  normalization: 'group',
  stdFloor: 0.05,
  uniformGroups: 'drop',
  similarity: 'tokenCosine',
  embeddingModel: null,
};

/** Activities heartbeat, so they need the context that a worker gives them. */
export function asActivity<Input, Output>(activity: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return (input) => new MockActivityEnvironment().run(activity, input);
}

export interface TurnDraft {
  readonly code?: string;
  readonly answer?: string;
  readonly output?: string;
  readonly errorType?: string;
  readonly formatViolation?: boolean;
}

/** Token ids are the text's UTF-16 units: enough to see that nothing is lost or moved. */
const tokensOf = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

export function trajectoryOf(
  step: number,
  taskId: string,
  sibling: number,
  outcome: Outcome,
  drafts: readonly TurnDraft[],
  options: { readonly runId?: string; readonly prompt?: string; readonly failure?: string } = {},
): Trajectory {
  const prompt = options.prompt ?? `What is asked in ${taskId}?`;
  const [source, , index] = taskId.split('/') as [string, string, string];
  const stopReasons: Record<Outcome, StopReason> = {
    solved: 'submitted',
    failed: 'submitted',
    truncated: 'maxTurns',
    infra_error: 'infraError',
    model_error: 'modelError',
    cancelled: 'cancelled',
  };
  return {
    schemaVersion: 1,
    runId: options.runId ?? 'synthetic',
    step,
    taskId,
    task: { source, split: 'train', index: Number(index) },
    sibling,
    seed: seedOf('synthetic', step, taskId, sibling),
    prompt,
    turns: drafts.map((draft, turn) => turnOf(draft, turn, turn === 0 ? prompt : (drafts[turn - 1]?.output ?? ''), step - 1)),
    stopReason: stopReasons[outcome],
    outcome,
    outcomeReward: outcome === 'solved' ? 1 : outcome === 'failed' || outcome === 'truncated' ? 0 : null,
    ...(options.failure === undefined ? {} : { failure: options.failure }),
  };
}

function turnOf(draft: TurnDraft, turn: number, given: string, policyVersion: number): TrajectoryTurn {
  const { code, answer, output, errorType } = draft;
  const text = code === undefined ? (answer === undefined ? 'nonsense' : `<answer>${answer}</answer>`) : `<code>${code}</code>`;
  const sampledTokens = tokensOf(text);
  const execution = {
    exitCode: errorType === undefined ? 0 : 1,
    stdout: '',
    stderr: errorType === undefined ? '' : `Traceback (most recent call last):\n  File "<cell>", line 1, in <module>\n${errorType}\n`,
    ...(errorType === undefined ? { value: output ?? 'None' } : { errorType }),
    timedOut: false,
    outOfMemory: false,
    truncated: false,
    durationMs: 12 + turn,
  };
  return {
    turn,
    policyVersion,
    givenTokens: tokensOf(given),
    sampledTokens,
    behaviorLogprobs: sampledTokens.map((token) => Math.fround(-(1 + (token % 7)) / 10)),
    finishReason: 'stop',
    text,
    actionKind: code !== undefined ? 'code' : answer !== undefined ? 'answer' : 'malformed',
    ...(code === undefined ? {} : { code, execution, observation: output ?? errorType ?? '' }),
    ...(answer === undefined ? {} : { answer }),
    formatViolation: draft.formatViolation ?? false,
    replayed: false,
  };
}

export async function put(store: ArtifactStore, trajectories: readonly Trajectory[]): Promise<ArtifactRef> {
  return store.put(Buffer.from(trajectories.map((trajectory) => `${JSON.stringify(trajectory)}\n`).join('')));
}

export async function creditInput(store: ArtifactStore, step: number, groups: readonly (readonly Trajectory[])[], run = 'synthetic'): Promise<CreditInput> {
  const refs = await Promise.all(groups.map((trajectories) => put(store, trajectories)));
  return {
    run,
    step,
    policyVersion: step - 1,
    groups: refs.map((ref, i) => ({ taskId: groups[i]?.[0]?.taskId ?? `empty/train/${i}`, trajectories: [ref] })),
    credit,
  };
}

export interface RunOptions {
  readonly run: string;
  readonly steps: number;
  readonly hostile?: boolean;
}

/** A run that learns: its share of solved trajectories grows from step to step. Everything on disk is written by the activities. */
export async function writeSyntheticRun(home: string, store: ArtifactStore, { run, steps, hostile = false }: RunOptions): Promise<void> {
  const advantages = asActivity(createAdvantages({ home, store }));
  const recordStep = asActivity(createRecordStep({ home }));
  const recordEvaluation = asActivity(createRecordEvaluation({ home }));
  await mkdir(runPaths(home, run).root, { recursive: true });
  await writeFile(runPaths(home, run).config, JSON.stringify(syntheticConfig(steps)));
  for (const step of [50, 100]) {
    await recordStep({ run, kind: 'warmup', step, policyVersion: 0, metrics: { loss: 2 / step, grad_norm: 0.4 } });
  }
  await recordEvaluation({ run, step: 0, results: evaluations(0, 0.47) });
  for (let step = 1; step <= steps; step++) {
    const random = randomOf(seedOf('synthetic run', step));
    const groups = Array.from({ length: 4 }, (_, position) => playGroup(random, run, step, position, step / (steps + 2), hostile));
    const { metrics } = await advantages(await creditInput(store, step, groups, run));
    await recordStep({ run, kind: 'step', step, policyVersion: step, metrics: { ...metrics, ...updateMetrics(random, step, steps) } });
  }
  await recordEvaluation({ run, step: steps, results: evaluations(steps, 0.9) });
}

function playGroup(random: Random, run: string, step: number, position: number, skill: number, hostile: boolean): Trajectory[] {
  const taskId = `chain/train/${4 * step + position}`;
  const prompt = hostile
    ? '</script><script>globalThis.broken = true</script><img src=x onerror="globalThis.broken=true">'
    : 'What is the age of the boss of kj?';
  return Array.from({ length: 8 }, (_, sibling) => {
    const options = { runId: run, prompt };
    if (random.next() < 0.02) return trajectoryOf(step, taskId, sibling, 'infra_error', [], { ...options, failure: 'the sandbox worker went away' });
    const solved = random.next() < 0.35 + 0.6 * skill;
    const person = random.pick(['iu', 'mo', 'za']);
    const lookUp = { code: `boss('kj')`, output: `'${solved ? 'iu' : person}'` };
    const number = { code: `age('${solved ? 'iu' : person}')`, output: '91' };
    const answer = { answer: hostile ? '\u001b[2J"><svg onload=alert(1)>&lt;' : solved ? '91' : String(random.integer(10, 99)) };
    if (solved) return trajectoryOf(step, taskId, sibling, 'solved', [lookUp, number, answer], options);
    const mistake = { code: `boss(kj)`, errorType: `NameError: name 'kj' is not defined`, formatViolation: random.next() < 0.3 };
    if (random.next() < 0.2) return trajectoryOf(step, taskId, sibling, 'truncated', [mistake, mistake, lookUp, {}], options);
    return trajectoryOf(step, taskId, sibling, 'failed', random.next() < 0.5 ? [mistake, answer] : [lookUp, number, answer], options);
  });
}

function updateMetrics(random: Random, step: number, steps: number) {
  const fade = 1 - step / (steps + 5);
  return {
    loss: 0.02 * random.normal(),
    grad_norm: 0.3 + 0.1 * random.next(),
    entropy: 0.04 + 0.35 * fade * (0.9 + 0.2 * random.next()),
    clip_ratio: 0.002 + 0.01 * random.next(),
    kl: 0.0004 + 0.0006 * random.next(),
    lr: 4e-4 * (0.2 + 0.8 * fade),
    'sampling/sampling_logp_difference/mean': 1e-7 * (1 + random.next()),
    'sampling/sampling_logp_difference/max': 2e-6 * (1 + random.next()),
    'rollouts/tokens_per_second': 2400 + 300 * random.next(),
    'time/rollouts': 0.6 + 0.2 * random.next(),
    'time/update': 0.3 + 0.1 * random.next(),
  };
}

function evaluations(policyVersion: number, solvedShare: number): EvaluationResult[] {
  return (['greedy', 'sampled'] as const).map((mode) => {
    const share = solvedShare + (mode === 'greedy' ? 0.05 : 0);
    const standardError = Math.sqrt((share * (1 - share)) / 200);
    return { policyVersion, mode, tasks: 200, samples: 200, solved: Math.round(200 * share), counted: 200, solvedShare: share, standardError, meanTurns: 3 };
  });
}

function syntheticConfig(steps: number) {
  return {
    version: 1,
    seed: 7,
    policy: { preset: 'nano', path: null, vocabulary: 'tags', contextLength: 160, turnFormat: 'tags' },
    tasks: [{ name: 'chain', family: 'chain', weight: 1, options: {} }],
    warmup: { steps: 100, batchSize: 16 },
    training: { steps, tasksPerStep: 4, groupSize: 8, optimizer: { lr: 4e-4 }, passes: 1, minibatches: 1, microBatchTokens: 4096 },
    credit,
    loss: { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' },
    logprobGate: { maxAbsDifference: 0.001 },
    sampling: { temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20 },
    evaluation: { tasks: 200, every: 0, modes: ['greedy', 'sampled'], samplesPerTask: 1 },
  };
}
