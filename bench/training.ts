/**
 * @file Training figures: one clipped policy-gradient step of the presets S and M, against PyTorch on the same machine and
 * against the rate of a plain matrix product. Traps: other work on the cores (compare ratios only), the first step of a shape
 * (session creation), and processors that change speed (so the two sides alternate, and the product is timed before and after).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createSession, intraOpThreads } from '../activities/policy/ort/session.ts';
import { Trainer } from '../activities/policy/training/trainer.ts';
import { Graph } from '../core/graph/graph.ts';
import { modelBytes } from '../core/graph/onnx.ts';
import { gemm } from '../core/graph/ops.ts';
import type { ModelConfig } from '../core/model/config.ts';
import { initialWeights } from '../core/model/initialWeights.ts';
import { presetConfig } from '../core/model/presets.ts';
import { parameterCount } from '../core/model/tensorNames.ts';
import { randomOf } from '../core/random.ts';
import type { BatchRow } from '../core/run/batch.ts';
import type { Figure } from './figure.ts';

const shapes = {
  S: { vocabSize: 512, rows: 16, length: 256, stepsPerRound: 5 },
  M: { vocabSize: 4096, rows: 8, length: 512, stepsPerRound: 2 },
} as const;
type ShapeName = keyof typeof shapes;

const rounds = 3;
/** Small: on the repeated random batch a larger rate soon clips every token, and denormal gradients distort times. */
const lr = 1e-6;
const optimizer = { lr, betas: [0.9, 0.95], eps: 1e-8, weightDecay: 0.01, maxGradNorm: 1 } as const;
const loss = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0, aggregation: 'tokenMean' } as const;

export async function trainingFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of ['S', 'M'] as const) figures.push(...(await figuresOf(shape)));
  return figures;
}

interface Round {
  readonly tokensPerSecond: number;
  /** Ours ÷ that of a 2048³ product timed right before and after. */
  readonly shareOfGemm: number;
  readonly peerTokensPerSecond: number | null;
}

async function figuresOf(shape: ShapeName): Promise<Figure[]> {
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await measureRound(shape));
  const ratios = measured.flatMap(({ tokensPerSecond, peerTokensPerSecond }) => (peerTokensPerSecond === null ? [] : [tokensPerSecond / peerTokensPerSecond]));
  const how = `${rounds} rounds of ${shapes[shape].stepsPerRound} steps of ${shapes[shape].rows} × ${shapes[shape].length} tokens, ${intraOpThreads()} threads, medians`;
  return [
    figure(
      `training.${shape}.tokensPerSecond`,
      measured.map((round) => round.tokensPerSecond),
      'tokens/s',
      null,
      how,
    ),
    ratios.length === rounds
      ? figure(`training.${shape}.vsPyTorch`, ratios, '×', 1, `${how}; alternating with bench/peer_torch.py`)
      : { name: `training.${shape}.vsPyTorch`, value: Number.NaN, unit: '×', bar: '≥ 1', pass: null, spread: null, how: `skipped: ${peerMissing()}` },
    figure(
      `training.${shape}.vsGemm`,
      measured.map((round) => round.shareOfGemm),
      '×',
      0.75,
      `${how}; 6 P N + 12 N T H L floating-point operations a step ÷ time ÷ the rate of a 2048³ product in the same round`,
    ),
  ];
}

async function measureRound(shape: ShapeName): Promise<Round> {
  const peerTokensPerSecond = await peerRate(shape);
  const before = await gemmRate();
  const seconds = await stepSeconds(shape);
  const gemmFlops = (before + (await gemmRate())) / 2;
  const { rows, length, vocabSize } = shapes[shape];
  return {
    tokensPerSecond: (rows * length) / seconds,
    shareOfGemm: stepFlops(presetConfig(shape, vocabSize), rows, length) / seconds / gemmFlops,
    peerTokensPerSecond,
  };
}

/** Seconds that a token costs in an update of this preset. */
export async function secondsPerToken(shape: ShapeName): Promise<number> {
  return (await stepSeconds(shape)) / (shapes[shape].rows * shapes[shape].length);
}

/** Median seconds of one whole update: gate, forward, backward, clipping, AdamW. */
async function stepSeconds(shape: ShapeName): Promise<number> {
  const { rows, length, vocabSize, stepsPerRound } = shapes[shape];
  const config = presetConfig(shape, vocabSize);
  const trainer = new Trainer(config, initialWeights(config, 1), null, null);
  const batch = randomBatch(rows, length, vocabSize);
  const settings = { loss, temperature: 1, optimizer, passes: 1, minibatches: 1, microBatchTokens: rows * length, maxLogprobDifference: Number.MAX_VALUE };
  const seconds: number[] = [];
  for (let step = 0; step <= stepsPerRound; step++) {
    const start = performance.now();
    await trainer.policyStep(batch, settings, () => {});
    if (step > 0) seconds.push((performance.now() - start) / 1000);
  }
  await trainer.release();
  return median(seconds);
}

function randomBatch(rows: number, length: number, vocabSize: number): BatchRow[] {
  const random = randomOf(1);
  return Array.from({ length: rows }, (_, sibling) => ({
    taskId: 'bench',
    sibling,
    tokens: Int32Array.from({ length: length + 1 }, () => random.integer(0, vocabSize - 1)),
    sampledMask: new Uint8Array(length + 1).fill(1, 1),
    behaviorLogprobs: new Float32Array(length + 1).fill(-Math.log(vocabSize)),
    advantages: Float32Array.from({ length: length + 1 }, () => 2 * random.next() - 1),
  }));
}

/** Multiply-adds of the matrices, forward and backward, and of full attention; what causal blocks skip still counts as done. */
function stepFlops(config: ModelConfig, rows: number, length: number): number {
  const tokens = rows * length;
  return 6 * parameterCount(config) * tokens + 12 * tokens * length * config.headCount * config.headDim * config.layerCount;
}

async function gemmRate(): Promise<number> {
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

/** Why there is no peer to compare with, or the empty string. */
function peerMissing(): string {
  const python = process.env['TURNWISE_PYTHON'];
  if (!python) return 'set TURNWISE_PYTHON to a Python with torch and transformers';
  return existsSync(python) ? '' : `TURNWISE_PYTHON: no file ${python}`;
}

async function peerRate(shape: ShapeName): Promise<number | null> {
  if (peerMissing()) return null;
  const script = join(import.meta.dirname, 'peer_torch.py');
  const environment = { ...process.env, OMP_NUM_THREADS: String(intraOpThreads()) };
  const { stdout } = await promisify(execFile)(process.env['TURNWISE_PYTHON'] as string, [script, shape, String(shapes[shape].stepsPerRound), String(lr)], {
    env: environment,
  });
  return (JSON.parse(stdout) as { tokensPerSecond: number }).tokensPerSecond;
}

function figure(name: string, values: readonly number[], unit: string, least: number | null, how: string): Figure {
  const value = median(values);
  return {
    name,
    value,
    unit,
    bar: least === null ? null : `≥ ${least}`,
    pass: least === null ? null : value >= least,
    spread: [Math.min(...values), Math.max(...values)],
    how,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
