/**
 * @file Our side of a measured update, in a process of its own with the allocator settings and flags that the supervisor gives its workers:
 * `ours.ts CASE` as JSON, forked.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSession } from '../../activities/policy/ort/session.ts';
import { Trainer, trainingSessions } from '../../activities/policy/training/trainer.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import { gemm } from '../../core/graph/ops.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { initialAdapter } from '../../core/model/lora.ts';
import { allocatorSettings, workerFlags } from '../../workers/supervisor/workerProcess.ts';
import { writeBase } from './baseFile.ts';
import { batchOf, configs, learningRate, lora, type UpdateCase } from './cases.ts';

export interface OurUpdates {
  /** Of every measured update: gate, forward, backward, clipping, AdamW. */
  readonly seconds: readonly number[];
  /** Operations a second of a 2048³ product right before and after. */
  readonly gemmFlops: number;
  /** Resident at most, the mapped file included. */
  readonly peakBytes: number;
}

export function ourUpdates(measured: UpdateCase): Promise<OurUpdates> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, [JSON.stringify(measured)], {
      env: { ...process.env, ...allocatorSettings },
      execArgv: [...process.execArgv, ...workerFlags],
    });
    child.once('message', (updates) => resolve(updates as OurUpdates));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`bench/updates/ours.ts: ended with code ${code} before it had measured ${measured.name}`)));
  });
}

async function measure(measured: UpdateCase): Promise<OurUpdates> {
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-bench-updates-'));
  try {
    const before = await gemmFlops();
    const seconds = await updateSeconds(await trainerOf(measured, folder), measured);
    return { seconds, gemmFlops: (before + (await gemmFlops())) / 2, peakBytes: process.resourceUsage().maxRSS * 1024 };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function trainerOf({ shape, adapter, recomputes = false }: UpdateCase, folder: string): Promise<Trainer> {
  const config = configs[shape];
  const base = adapter ? await writeBase(config, folder) : null;
  const weights = adapter ? initialAdapter(config, lora, 1) : initialWeights(config, 1);
  return new Trainer(config, weights, null, null, {}, trainingSessions(config, { recomputeActivations: recomputes }, base));
}

async function updateSeconds(trainer: Trainer, measured: UpdateCase): Promise<number[]> {
  const batch = batchOf(measured);
  const loss = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' } as const;
  const optimizer = { lr: learningRate, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.01, maxGradNorm: 1 } as const;
  const settings = { loss, temperature: 1, optimizer, passes: 1, minibatches: 1, microBatchTokens: 4096, maxLogprobDifference: Number.MAX_VALUE };
  const seconds: number[] = [];
  for (let step = 0; step <= measured.steps; step++) {
    const start = performance.now();
    await trainer.policyStep(batch, settings, () => {});
    if (step > 0) seconds.push((performance.now() - start) / 1000);
  }
  await trainer.release();
  return seconds;
}

async function gemmFlops(): Promise<number> {
  const size = 2048;
  const graph = new Graph();
  graph.output('c', gemm(graph.input('a', 'float32', [size, size]), graph.input('b', 'float32', [size, size])));
  const session = await createSession(modelBytes(graph));
  const matrix = { data: Float32Array.from({ length: size * size }, (_, i) => (i % 17) / 17), shape: [size, size] };
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 6; run++) {
    const start = performance.now();
    await session.run({ a: matrix, b: matrix });
    best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return (2 * size ** 3) / (best / 1000);
}

if (process.send && process.argv[1] === import.meta.filename) {
  const updates = await measure(JSON.parse(process.argv[2] as string) as UpdateCase);
  process.send(updates, () => process.exit(0));
}
