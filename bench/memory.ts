/**
 * @file Memory figures: how much the resident memory of a trainer and of a policy worker's decoder still grows after their twentieth step of
 * 200, on the preset nano with rollouts of ever different lengths. Each runs in a process of its own, with the allocator settings and flags
 * that the supervisor gives its workers. Traps: memory that only looks grown because the garbage collector has not run (so the growth is that
 * of medians over ten steps), and a quick system that reads memory back from swap (RSS is what counts here).
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePolicyDirectory } from '../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../activities/checkpoint/policyFiles.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { createTrainingEngine } from '../activities/policy/training/engine.ts';
import { huggingFaceConfigOf } from '../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../core/model/initialWeights.ts';
import { presetConfig } from '../core/model/presets.ts';
import { type Random, randomOf } from '../core/random.ts';
import type { BatchRow } from '../core/run/batch.ts';
import { allocatorSettings, computeFlags } from '../workers/supervisor/workerProcess.ts';
import type { Figure } from './figure.ts';

const steps = 200;
const settledAfter = 20;
const window = 10;
const mostGrowth = 0.1;
const rowsPerStep = 32;
const config = presetConfig('nano', 98);
const loss = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' } as const;
const optimizer = { lr: 1e-4, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.01, maxGradNorm: 1 } as const;

/** What one step of each kind of worker does; called once per step. */
const kinds = { trainer: trainerSteps, decoder: decoderSteps } as const;
type Kind = keyof typeof kinds;

export async function memoryFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const kind of ['trainer', 'decoder'] as const) figures.push(...figuresOf(kind, await measured(kind)));
  return figures;
}

function figuresOf(kind: Kind, mebibytes: readonly number[]): Figure[] {
  const settled = median(mebibytes.slice(settledAfter - window, settledAfter));
  const later = mebibytes.slice(settledAfter).map((_, i, all) => median(all.slice(Math.max(0, i - window + 1), i + 1)));
  const growth = Math.max(...later) / settled - 1;
  const how = `${steps} steps of ${rowsPerStep} rollouts of 40 to 160 tokens, preset nano; medians over ${window} steps`;
  return [
    {
      name: `memory.${kind}.growth`,
      value: growth,
      unit: 'share',
      bar: `≤ ${mostGrowth}`,
      pass: growth <= mostGrowth,
      spread: null,
      how: `${how}; after step ${settledAfter}`,
    },
    { name: `memory.${kind}.resident`, value: settled, unit: 'MiB', bar: null, pass: null, spread: [Math.min(...mebibytes), Math.max(...mebibytes)], how },
  ];
}

/** Resident memory after each step. */
function measured(kind: Kind): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const sizes: number[] = [];
    const child = fork(import.meta.filename, [kind], { env: { ...process.env, ...allocatorSettings }, execArgv: [...process.execArgv, ...computeFlags] });
    child.on('message', (bytes: number) => sizes.push(bytes / 2 ** 20));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 && sizes.length === steps
        ? resolve(sizes)
        : reject(new Error(`bench/memory.ts ${kind}: ended with code ${code} after ${sizes.length} of ${steps} steps`)),
    );
  });
}

async function trainerSteps(step: (work: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const engine = createTrainingEngine();
  await engine.load(config, initialWeights(config, 1), null);
  const random = randomOf(1);
  const settings = { loss, temperature: 1, optimizer, passes: 1, minibatches: 1, microBatchTokens: 4096, maxLogprobDifference: Number.MAX_VALUE };
  const signal = new AbortController().signal;
  await step(async () => {
    await engine.policyStep(rolloutRows(random), { ...settings, signal });
    await engine.state();
  });
  await engine.close();
}

function rolloutRows(random: Random): BatchRow[] {
  return Array.from({ length: rowsPerStep }, (_, sibling) => {
    const length = random.integer(40, 160);
    const sampledMask = Uint8Array.from({ length }, (_, t) => (t > 20 && random.next() < 0.6 ? 1 : 0));
    return {
      taskId: 'bench',
      sibling,
      tokens: Int32Array.from({ length }, () => random.integer(0, config.vocabSize - 1)),
      sampledMask,
      behaviorLogprobs: Float32Array.from(sampledMask, (sampled) => -sampled * Math.log(config.vocabSize)),
      advantages: Float32Array.from(sampledMask, (sampled) => sampled * (2 * random.next() - 1)),
    };
  });
}

/** Every step has a policy version of its own, as in a run: its key differs, its weights are the same. */
async function decoderSteps(step: (work: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), 'turnwise-bench-memory-'));
  const decoder = new Decoder();
  try {
    const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn: 0, padding: 0 }))]]);
    await writePolicyDirectory(path, { weights: initialWeights(config, 1), files, card: '' });
    const random = randomOf(2);
    let version = 0;
    await step(async () => {
      version += 1;
      const calls = Array.from({ length: rowsPerStep }, (_, seed) => {
        const context = Int32Array.from({ length: random.integer(16, 100) }, () => random.integer(0, config.vocabSize - 1));
        return decoder.generate(
          { key: `version ${version}`, path },
          { context, seed, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: random.integer(8, 60), endTokens: [] },
        );
      });
      await Promise.all(calls);
    });
  } finally {
    await decoder.close();
    await rm(path, { recursive: true, force: true });
  }
}

/** The child's side: 200 times the work, and after each the resident memory to the parent. */
async function report(kind: Kind): Promise<void> {
  await kinds[kind](async (work) => {
    for (let done = 0; done < steps; done++) {
      await work();
      process.send?.(process.memoryUsage.rss());
    }
  });
  process.disconnect();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

if (process.send && process.argv[1] === import.meta.filename) await report(process.argv[2] as Kind);
