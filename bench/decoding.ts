/**
 * @file Decoding figures: sampled tokens a second of concurrent `generate` calls at presets S and M, against transformers' generate on the
 * same machine. Traps: other work on the cores (compare ratios only), the first call (session creation), and processors that change speed
 * (so the two sides alternate, case by case and round by round).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { writePolicyDirectory } from '../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../activities/checkpoint/policyFiles.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import type { DecodingRequest } from '../activities/policy/decoding/decodingRequest.ts';
import { intraOpThreads } from '../activities/policy/ort/session.ts';
import { huggingFaceConfigOf } from '../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../core/model/initialWeights.ts';
import { presetConfig } from '../core/model/presets.ts';
import { randomOf } from '../core/random.ts';
import type { Figure } from './figure.ts';

const vocabSizes = { S: 512, M: 4096 } as const;
type ShapeName = keyof typeof vocabSizes;

interface Case {
  readonly shape: ShapeName;
  readonly rows: number;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  /** All rows have the same prompt, as siblings do. */
  readonly shared: boolean;
  readonly bar: number;
}

const apart = (shape: ShapeName, rows: number, bar: number): Case => ({
  shape,
  rows,
  promptTokens: 16,
  sampledTokens: 240,
  shared: false,
  bar,
});
const siblings = (shape: ShapeName, bar: number): Case => ({ shape, rows: 32, promptTokens: 256, sampledTokens: 64, shared: true, bar });
const cases = [
  apart('S', 1, 4),
  apart('S', 8, 3),
  apart('S', 32, 2.2),
  siblings('S', 3),
  apart('M', 1, 3),
  apart('M', 8, 2),
  apart('M', 32, 1.5),
  siblings('M', 3),
];

const rounds = 3;
/** Before every measurement, on either side. */
const warmingTokens = 32;

export async function decodingFigures(): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'turnwise-bench-decoding-'));
  const decoder = new Decoder();
  const peer = startPeer();
  const measured = cases.map(() => ({ ours: [] as number[], ratios: [] as number[] }));
  try {
    for (const shape of ['S', 'M'] as const) await writePolicy(join(home, shape), shape);
    for (let round = 0; round <= rounds; round++) {
      for (const [i, entry] of cases.entries()) {
        // Round 0 warms both up; just-in-time compilation takes longer than a few tokens.
        const asked = round === 0 ? { ...entry, sampledTokens: 64 } : entry;
        const peerRate = await peer?.tokensPerSecond(asked);
        const rate = await tokensPerSecond(decoder, join(home, entry.shape), asked, round);
        if (round === 0) continue;
        measured[i]?.ours.push(rate);
        if (peerRate !== undefined) measured[i]?.ratios.push(rate / peerRate);
      }
    }
  } finally {
    peer?.end();
    await decoder.close();
    await rm(home, { recursive: true, force: true });
  }
  return cases.flatMap((entry, i) => figuresOf(entry, measured[i] as (typeof measured)[number]));
}

function figuresOf({ shape, rows, promptTokens, sampledTokens, shared, bar }: Case, { ours, ratios }: { ours: number[]; ratios: number[] }): Figure[] {
  const how = `${rounds} rounds of ${rows} concurrent calls, ${promptTokens} ${shared ? 'shared ' : ''}prompt + ${sampledTokens} sampled tokens at temperature 1, ${intraOpThreads()} threads, medians`;
  const name = `decoding.${shape}.batch${rows}${shared ? '.sharedPrompt' : ''}`;
  return [
    figure(`${name}.tokensPerSecond`, ours, 'tokens/s', null, how),
    ratios.length === rounds
      ? figure(`${name}.vsTransformers`, ratios, '×', bar, `${how}; alternating with bench/peer_generate.py`)
      : { name: `${name}.vsTransformers`, value: Number.NaN, unit: '×', bar: `≥ ${bar}`, pass: null, spread: null, how: `skipped: ${peerMissing}` },
  ];
}

async function writePolicy(directory: string, shape: ShapeName): Promise<void> {
  const config = presetConfig(shape, vocabSizes[shape]);
  const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn: 0, padding: 0 }))]]);
  await writePolicyDirectory(directory, { weights: initialWeights(config, 1), files, card: '' });
}

/** Prompts differ between rounds, so that no prefix is found computed. */
async function tokensPerSecond(decoder: Decoder, directory: string, { shape, rows, promptTokens, sampledTokens, shared }: Case, seed: number): Promise<number> {
  const requests = Array.from({ length: rows }, (_, row): DecodingRequest => {
    const random = randomOf(1000 * seed + (shared ? 0 : row));
    const context = Int32Array.from({ length: promptTokens }, () => random.integer(0, vocabSizes[shape] - 1));
    return { context, seed: row, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: sampledTokens, endTokens: [] };
  });
  const policy = { key: directory, path: directory };
  // Both sides have slept while the other measured: their first steps find cold caches and sleeping threads.
  await decoder.generate(policy, { ...(requests[0] as DecodingRequest), context: Int32Array.of(1), maxTokens: warmingTokens });
  const start = performance.now();
  await Promise.all(requests.map((request) => decoder.generate(policy, request)));
  return (rows * sampledTokens * 1000) / (performance.now() - start);
}

const peerMissing = 'no Python with torch and transformers; name one in TURNWISE_PYTHON';

interface Peer {
  tokensPerSecond(asked: Case): Promise<number>;
  end(): void;
}

/** One process for everything: it sleeps while we decode, and importing torch takes longer than a round. */
function startPeer(): Peer | undefined {
  const python = process.env['TURNWISE_PYTHON'];
  if (!python || !existsSync(python)) return undefined;
  const child = spawn(python, [join(import.meta.dirname, 'peer_generate.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: String(intraOpThreads()) },
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tokensPerSecond = async (asked: Case) => {
    child.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error(`bench/peer_generate.py: expected a measurement of ${JSON.stringify(asked)}, it ended; its message is above`);
    return (JSON.parse(value) as { tokensPerSecond: number }).tokensPerSecond;
  };
  return { tokensPerSecond, end: () => child.stdin.end() };
}

function figure(name: string, values: readonly number[], unit: string, bar: number | null, how: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] as number;
  const spread = [sorted[0] as number, sorted.at(-1) as number] as const;
  return { name, value, unit, bar: bar === null ? null : `≥ ${bar}`, pass: bar === null ? null : value >= bar, spread, how };
}
