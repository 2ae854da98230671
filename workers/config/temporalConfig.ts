/** @file temporal.yaml: what turnwise runs on Temporal. Read once, validated strictly, so that no key is silently without effect. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { searchAttributes, taskQueues } from '../../core/run/names.ts';
import { describeIssues } from './issues.ts';

const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h)$/, 'expected a duration such as 500ms, 30s, 5m or 720h')
  .transform(milliseconds);
const slots = z.int().min(1).max(10_000);
const port = z.int().min(1).max(65_535);
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const workflowCache = { maxCachedWorkflows: z.int().min(2), stickyTimeout: duration };

const schema = z.strictObject({
  version: z.literal(1),
  taskQueues: z.strictObject({
    workflows: z.strictObject({ name: z.literal(taskQueues.workflows), slots, ...workflowCache }),
    policy: z.strictObject({ name: z.literal(taskQueues.policy), slots, ...workflowCache }),
    sandbox: z.strictObject({ name: z.literal(taskQueues.sandbox), slots: z.union([slots, z.literal('auto')]) }),
    trainer: z.strictObject({ name: z.literal(taskQueues.trainer), slots }),
    scout: z.strictObject({ name: z.literal(taskQueues.scout), slots, perSecond: z.number().positive().max(10_000) }),
  }),
  shutdownGrace: duration,
  searchAttributes: z.strictObject(attributeLiterals()),
  devServer: z.strictObject({
    port,
    uiPort: port,
    retention: duration,
    sqlitePragmas: z.record(z.string(), scalar),
    dynamicConfig: z.record(z.string(), scalar),
  }),
});

/** Durations are milliseconds. */
export type TemporalConfig = z.infer<typeof schema>;

/** TURNWISE_TEMPORAL_YAML names another file, so that two turnwise can run beside one another on ports of their own. */
export const temporalConfigPath = process.env['TURNWISE_TEMPORAL_YAML'] ?? join(fileURLToPath(new URL('../..', import.meta.url)), 'temporal.yaml');

/** @throws Error that names every wrong key, what was expected and what it got. */
export function loadTemporalConfig(path = process.env['TURNWISE_TEMPORAL_YAML'] || temporalConfigPath): TemporalConfig {
  const input: unknown = parse(readFileSync(path, 'utf8'));
  const result = schema.safeParse(input);
  if (!result.success) throw new Error(`${path}: ${describeIssues(result.error, input)}`);
  return result.data;
}

function attributeLiterals() {
  const literals = Object.entries(searchAttributes).map(([name, type]) => [name, z.literal(type)] as const);
  return Object.fromEntries(literals) as { [Name in keyof typeof searchAttributes]: z.ZodLiteral<(typeof searchAttributes)[Name]> };
}

function milliseconds(text: string): number {
  const unit = text.replace(/^\d+/, '') as keyof typeof unitMs;
  return Number.parseInt(text, 10) * unitMs[unit];
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
