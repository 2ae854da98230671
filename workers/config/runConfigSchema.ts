/** @file The shape of a run's configuration with every default; the defaults are the recipe of the quickstart. */
import { z } from 'zod';
import { loraModules } from '../../core/model/lora.ts';
import { defaultExecutionLimits, largestMicroBatchTokens } from '../../core/run/config.ts';
import { taskFamilies } from '../../core/tasks/registry.ts';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().min(1);
const name = z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'expected lower-case letters, digits, - or _');

const optimizer = (defaults: { lr: number; weightDecay: number; lrWarmupSteps: number; lrSchedule: 'linear' | 'cosine'; lrEndFraction: number }) =>
  z
    .strictObject({
      lr: positive.max(1).default(defaults.lr),
      betas: z.tuple([fraction, fraction]).default([0.9, 0.95]),
      eps: positive.default(1e-8),
      weightDecay: z.number().min(0).default(defaults.weightDecay),
      lrWarmupSteps: z.int().min(0).default(defaults.lrWarmupSteps),
      lrSchedule: z.enum(['constant', 'linear', 'cosine']).default(defaults.lrSchedule),
      lrEndFraction: fraction.default(defaults.lrEndFraction),
      maxGradNorm: positive.default(1),
    })
    .prefault({});

const familySource = z.strictObject({
  name: name.optional(),
  family: z.enum(taskFamilies.map((family) => family.name)),
  weight: positive.default(1),
  options: z.record(z.string(), z.unknown()).default({}),
});

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits')
  .optional();

const fileSource = z.strictObject({
  name,
  file: z.string().min(1),
  sha256,
  weight: positive.default(1),
  checker: z.enum(['exact', 'numeric', 'math', 'code']),
  statement: z.enum(['raw', 'scouted']).optional(),
  heldOutFraction: fraction.default(0.1),
  // A turn is about 1.3 KiB of the payload that `grade` receives, and one trajectory must stay below its 64 KiB.
  maxTurns: count.max(40).default(8),
  toolRequired: z.boolean().default(false),
});

/** A source is told by its key, `family` or `file`, so that a wrong key in it is named and not "no union member fits". */
const taskSource = z.unknown().transform((value, context) => {
  const schema = typeof value === 'object' && value !== null && 'file' in value ? fileSource : familySource;
  const result = schema.safeParse(value);
  if (result.success) return withName(result.data);
  for (const issue of result.error.issues) context.issues.push({ ...issue, input: value } as never);
  return z.NEVER;
});

type Source = z.infer<typeof familySource> | z.infer<typeof fileSource>;

function withName(source: Source) {
  return 'file' in source ? source : { ...source, name: source.name ?? source.family };
}

const lora = z.strictObject({
  rank: count.max(1024).default(16),
  alpha: positive.default(32),
  rsLora: z.boolean().default(false),
  targetModules: z
    .array(z.enum(loraModules))
    .min(1)
    .default([...loraModules]),
});

const policy = z
  .strictObject({
    preset: z.enum(['nano', 'S', 'M']).default('nano'),
    path: z.string().min(1).nullable().default(null),
    base: z.string().min(1).optional(),
    lora: lora.nullable().default(null),
    recomputeActivations: z.boolean().default(false),
    vocabulary: z.enum(['tags', 'bytes']).default('tags'),
    contextLength: count.default(160),
    turnFormat: z.enum(['tags', 'fences']).default('tags'),
  })
  .prefault({});

const chats = z.strictObject({ file: z.string().min(1), sha256, overLong: z.enum(['refuse', 'leaveOut', 'truncate']).default('refuse') });

const warmup = z
  .strictObject({
    steps: z.int().min(0).default(1200),
    chats: chats.nullable().default(null),
    batchSize: count.default(16),
    optimizer: optimizer({ lr: 3e-3, weightDecay: 0.01, lrWarmupSteps: 20, lrSchedule: 'cosine', lrEndFraction: 0.05 }),
    answerWeight: positive.default(4),
    flawlessFraction: fraction.default(0.2),
    stepsPerCommit: count.default(100),
  })
  .prefault({});

const training = z
  .strictObject({
    steps: z.int().min(0).default(60),
    // The input of `advantages` names every group of a step.
    tasksPerStep: count.max(256).default(8),
    groupSize: count.max(64).default(8),
    optimizer: optimizer({ lr: 4e-4, weightDecay: 0, lrWarmupSteps: 5, lrSchedule: 'linear', lrEndFraction: 0.2 }),
    passes: count.default(1),
    minibatches: count.default(1),
    microBatchTokens: count.default(largestMicroBatchTokens),
  })
  .prefault({});

const credit = z
  .strictObject({
    method: z.enum(['gtpo', 'grpo']).default('gtpo'),
    gamma: fraction.default(0.9),
    alpha: z.number().min(0).max(10).default(0.5),
    formatPenalty: z.number().min(0).max(10).default(0.1),
    normalization: z.enum(['group', 'batch', 'turnIndex']).default('group'),
    stdFloor: z.number().min(0).default(0.05),
    uniformGroups: z.enum(['keep', 'drop']).default('drop'),
    similarity: z.enum(['tokenCosine', 'embedding', 'shuffled']).default('tokenCosine'),
    embeddingModel: z.string().min(1).nullable().default(null),
  })
  .prefault({});

const loss = z
  .strictObject({
    clipLow: fraction.default(0.2),
    clipHigh: z.number().min(0).max(10).default(0.28),
    dualClip: z.number().min(1).nullable().default(null),
    klCoefficient: z.number().min(0).default(0),
    entropyCoefficient: z.number().min(0).default(0),
    aggregation: z.enum(['tokenMean', 'trajectoryMean']).default('tokenMean'),
  })
  .prefault({});

const evaluation = z
  .strictObject({
    tasks: count.default(200),
    every: z.int().min(0).default(0),
    modes: z
      .array(z.enum(['greedy', 'sampled']))
      .min(1)
      .default(['greedy', 'sampled']),
    samplesPerTask: count.max(64).default(1),
  })
  .prefault({});

const limits = z
  .strictObject({
    execution: z
      .strictObject({
        wallMs: count.default(defaultExecutionLimits.wallMs),
        memoryMiB: z.int().min(64).default(defaultExecutionLimits.memoryMiB),
        outputBytes: z.int().min(256).max(1_048_576).default(defaultExecutionLimits.outputBytes),
      })
      .prefault({}),
    rolloutTimeoutMs: z.int().min(1000).nullable().default(null),
  })
  .prefault({});

export const runConfigSchema = z.strictObject({
  version: z.literal(1).default(1),
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  policy,
  tasks: z
    .array(taskSource)
    .min(1)
    .prefault([{ family: 'chain' }]),
  warmup,
  gate: z.strictObject({ minSampledSolved: fraction.default(0.2) }).prefault({}),
  training,
  credit,
  loss,
  sampling: z
    .strictObject({
      temperature: z.number().min(0.01).max(10).default(1),
      topK: z.int().min(0).default(0),
      topP: positive.max(1).default(1),
      maxTokensPerTurn: count.default(20),
    })
    .prefault({}),
  logprobGate: z.strictObject({ maxAbsDifference: positive.default(0.01) }).prefault({}),
  evaluation,
  limits,
  sandbox: z
    .strictObject({ backend: z.enum(['auto', 'embedded', 'docker']).default('auto'), image: z.string().min(1).optional(), rollback: z.boolean().optional() })
    .prefault({}),
  checkpoints: z.strictObject({ keepLast: count.default(3), keepEvery: z.int().min(0).default(0) }).prefault({}),
  stepsPerHistory: count.max(100).default(25),
});

/** Allowed keys of the object at a path of the configuration; undefined where it has none of its own. */
export function allowedKeys(path: readonly PropertyKey[]): readonly string[] | undefined {
  if (path[0] === 'tasks') return path.length === 2 ? [...new Set([...Object.keys(familySource.shape), ...Object.keys(fileSource.shape)])] : undefined;
  let schema: unknown = runConfigSchema;
  for (const key of path) schema = shapeOf(schema)?.[String(key)];
  const shape = shapeOf(schema);
  return shape && Object.keys(shape);
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const { shape, def } = (schema ?? {}) as { shape?: Record<string, unknown>; def?: { innerType?: unknown } };
  return shape ?? (def?.innerType === undefined ? undefined : shapeOf(def.innerType));
}
