/** @file The configuration of a small run, in full. */
import type { RunConfig } from '../../core/run/config.ts';

const optimizer = {
  lr: 4e-4,
  betas: [0.9, 0.95],
  eps: 1e-8,
  weightDecay: 0,
  lrWarmupSteps: 0,
  lrSchedule: 'constant',
  lrEndFraction: 1,
  maxGradNorm: 1,
} as const;

export const smallRun: RunConfig = {
  version: 1,
  seed: 0,
  policy: { preset: 'nano', path: null, vocabulary: 'tags', contextLength: 160, turnFormat: 'tags' },
  tasks: [{ name: 'chain', family: 'chain', weight: 1, options: {} }],
  warmup: { steps: 4, batchSize: 16, optimizer, answerWeight: 4, flawlessFraction: 0.5, stepsPerCommit: 2 },
  gate: { minSampledSolved: 0.2 },
  training: { steps: 3, tasksPerStep: 2, groupSize: 4, optimizer, passes: 1, minibatches: 1, microBatchTokens: 4096 },
  credit: {
    method: 'gtpo',
    gamma: 0.9,
    alpha: 0.5,
    formatPenalty: 0.1,
    normalization: 'group',
    stdFloor: 1e-6,
    uniformGroups: 'drop',
    similarity: 'tokenCosine',
    embeddingModel: null,
  },
  loss: { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' },
  sampling: { temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20 },
  logprobGate: { maxAbsDifference: 0.05 },
  evaluation: { tasks: 4, every: 0, modes: ['greedy', 'sampled'], samplesPerTask: 2 },
  limits: { execution: { wallMs: 5000, memoryMiB: 256, outputBytes: 65_536 }, rolloutTimeoutMs: 600_000 },
  sandbox: { backend: 'auto' },
  checkpoints: { keepLast: 2, keepEvery: 0 },
  stepsPerHistory: 20,
};

/** `smallRun` with some of its values replaced, section by section. */
export function runWith(
  changes: { readonly [Section in keyof RunConfig]?: RunConfig[Section] extends object ? Partial<RunConfig[Section]> : RunConfig[Section] },
): RunConfig {
  const sections = Object.entries(changes).map(([name, change]) => {
    const before = smallRun[name as keyof RunConfig];
    return [name, typeof change === 'object' ? { ...(before as object), ...change } : change];
  });
  return { ...smallRun, ...Object.fromEntries(sections) };
}
