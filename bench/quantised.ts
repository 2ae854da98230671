/**
 * @file What weights of few bits cost or gain in speed: sampled tokens a second of concurrent calls with int8 and int4 ÷ float32, one decoder holding
 * all three. No bar: they are for machines and policies where they pay. Speed does not depend on the values of the weights, so these are random.
 * Traps: those of decoding.ts; the three alternate, round by round, and every round has prompts of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePolicyDirectory } from '../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../activities/checkpoint/policyFiles.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import type { DecodingRequest } from '../activities/policy/decoding/decodingRequest.ts';
import { intraOpThreads } from '../activities/policy/ort/session.ts';
import { huggingFaceConfigOf } from '../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../core/model/initialWeights.ts';
import { presetConfig } from '../core/model/presets.ts';
import { type WeightPrecision, weightPrecisions } from '../core/model/quantisation.ts';
import { randomOf } from '../core/random.ts';
import type { Figure } from './figure.ts';

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
  const config = presetConfig(shape, vocabSizes[shape]);
  const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn: 0, padding: 0 }))]]);
  await writePolicyDirectory(directory, { weights: initialWeights(config, 1), files, card: '' });
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
  const rates: Record<WeightPrecision, number[]> = { float32: [], int8: [], int4: [] };
  // Round 0 loads the sessions and warms them up.
  for (let round = 0; round <= rounds; round++) {
    for (const weights of weightPrecisions) {
      const rate = await tokensPerSecond(decoder, { key: directory, path: directory, weights }, requestsOf(shape, rows, round));
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

function requestsOf(shape: ShapeName, rows: number, round: number): DecodingRequest[] {
  return Array.from({ length: rows }, (_, row) => {
    const random = randomOf(1000 * round + row);
    const context = Int32Array.from({ length: promptTokens }, () => random.integer(0, vocabSizes[shape] - 1));
    return { context, seed: row, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: sampledTokens, endTokens: [] };
  });
}

async function tokensPerSecond(decoder: Decoder, policy: Parameters<Decoder['generate']>[0], requests: readonly DecodingRequest[]): Promise<number> {
  // Its sessions have slept while the others measured.
  await decoder.generate(policy, { ...(requests[0] as DecodingRequest), context: Int32Array.of(1), maxTokens: 16 });
  const start = performance.now();
  await Promise.all(requests.map((request) => decoder.generate(policy, request)));
  return (requests.length * sampledTokens * 1000) / (performance.now() - start);
}

function figure(name: string, values: readonly number[], unit: string, how: string): Figure {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] as number;
  return { name, value, unit, bar: null, pass: null, spread: [sorted[0] as number, sorted.at(-1) as number], how };
}
