/**
 * @file What weights of few bits cost or gain in speed: sampled tokens a second of concurrent calls with int8 and int4 ÷ float32, one decoder holding
 * all three. No bar: they are for machines and policies where they pay.
 * Traps: those of decoding.ts; the three alternate, round by round, and every round has prompts of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { intraOpThreads } from '../activities/policy/ort/session.ts';
import { type WeightPrecision, weightPrecisions } from '../core/model/quantisation.ts';
import type { Figure } from './figure.ts';
import { tokensPerSecond, writeRandomPolicy } from './generation/concurrentCalls.ts';

/** As in the quickstart, and as in decoding.ts. */
const vocabSizes = { nano: 98, S: 98, M: 4096 } as const;
type ShapeName = keyof typeof vocabSizes;
const shapes = Object.keys(vocabSizes) as ShapeName[];
const batches = [1, 8, 64];
const rounds = 5;
const promptTokens = 32;
const sampledTokens = 64;

export async function quantisedFigures(): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'turnwise-bench-quantised-'));
  try {
    const figures: Figure[] = [];
    for (const shape of shapes) figures.push(...(await figuresOfShape(join(home, shape), shape)));
    return figures;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function figuresOfShape(directory: string, shape: ShapeName): Promise<Figure[]> {
  await writeRandomPolicy(directory, shape, vocabSizes[shape]);
  const decoder = new Decoder({ maxPolicies: weightPrecisions.length });
  try {
    const figures: Figure[] = [];
    for (const rows of batches) figures.push(...(await figuresOfBatch(decoder, directory, shape, rows)));
    return figures;
  } finally {
    await decoder.close();
  }
}

async function figuresOfBatch(decoder: Decoder, directory: string, shape: ShapeName, rows: number): Promise<Figure[]> {
  const calls = { vocabSize: vocabSizes[shape], rows, promptTokens, sampledTokens, shared: false };
  const rates: Record<WeightPrecision, number[]> = { float32: [], int8: [], int4: [] };
  // Round 0 loads the sessions and warms them up.
  for (let round = 0; round <= rounds; round++) {
    for (const weights of weightPrecisions) {
      const rate = await tokensPerSecond(decoder, { key: directory, path: directory, weights }, calls, round);
      if (round > 0) rates[weights].push(rate);
    }
  }
  const how = `${rounds} alternated rounds of ${rows} concurrent calls, ${promptTokens} prompt + ${sampledTokens} sampled tokens, ${intraOpThreads()} threads, medians`;
  const name = `quantised.${shape}.batch${rows}`;
  const ratios = (weights: WeightPrecision) => rates[weights].map((rate, i) => rate / (rates.float32[i] as number));
  return [
    figure(`${name}.float32`, rates.float32, 'tokens/s', how),
    figure(`${name}.int8`, ratios('int8'), '×', `${how}; ÷ float32 in the same round`),
    figure(`${name}.int4`, ratios('int4'), '×', `${how}; ÷ float32 in the same round`),
  ];
}

function figure(name: string, values: readonly number[], unit: string, how: string): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] as number;
  return { name, value, unit, bar: null, pass: null, spread: [sorted[0] as number, sorted.at(-1) as number], how };
}
