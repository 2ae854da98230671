/**
 * @file Decoding figures: sampled tokens a second of concurrent `generate` calls at presets S and M, against transformers' generate on the
 * same machine. Traps: other work on the cores (compare ratios only), the first call (session creation), processors that change speed (so the
 * sides alternate, case by case and round by round), and the allocator (both sides get the settings that suit them better).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { intraOpThreads } from '../activities/policy/ort/session.ts';
import type { Figure } from './figure.ts';
import type { GenerationCase } from './generation/cases.ts';
import { type Side, startOurs, startPeers } from './generation/sides.ts';
import { peerMissing } from './updates/peer.ts';

interface Case extends GenerationCase {
  readonly bar: number;
}

const apart = (shape: Case['shape'], rows: number, bar: number): Case => ({
  shape,
  rows,
  promptTokens: 16,
  sampledTokens: 240,
  shared: false,
  bar,
});
const siblings = (shape: Case['shape'], bar: number): Case => ({ shape, rows: 32, promptTokens: 256, sampledTokens: 64, shared: true, bar });
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

export async function decodingFigures(): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), 'turnwise-bench-decoding-'));
  const [ours, peers] = [startOurs(home), startPeers()];
  const measured = cases.map(() => ({ ours: [] as number[], ratios: [] as number[] }));
  try {
    await warmed([ours, ...peers]);
    for (let round = 0; round < rounds; round++) {
      for (const [i, entry] of cases.entries()) {
        const peerRate = await fastest(peers, entry);
        const rate = await ours.tokensPerSecond(entry);
        measured[i]?.ours.push(rate);
        if (peerRate !== undefined) measured[i]?.ratios.push(rate / peerRate);
      }
    }
  } finally {
    for (const side of [ours, ...peers]) side.end();
    await rm(home, { recursive: true, force: true });
  }
  return cases.flatMap((entry, i) => figuresOf(entry, measured[i] as (typeof measured)[number]));
}

/** Just-in-time compilation takes longer than a few tokens. */
async function warmed(sides: readonly Side[]): Promise<void> {
  for (const side of sides) for (const entry of cases) await side.tokensPerSecond({ ...entry, sampledTokens: 64 });
}

/** Of the peer with either settings. */
async function fastest(peers: readonly Side[], entry: Case): Promise<number | undefined> {
  const rates: number[] = [];
  for (const peer of peers) rates.push(await peer.tokensPerSecond(entry));
  return rates.length === 0 ? undefined : Math.max(...rates);
}

function figuresOf({ shape, rows, promptTokens, sampledTokens, shared, bar }: Case, { ours, ratios }: { ours: number[]; ratios: number[] }): Figure[] {
  const how = `${rounds} rounds of ${rows} concurrent calls, ${promptTokens} ${shared ? 'shared ' : ''}prompt + ${sampledTokens} sampled tokens at temperature 1, ${intraOpThreads()} threads, medians`;
  const name = `decoding.${shape}.batch${rows}${shared ? '.sharedPrompt' : ''}`;
  return [
    figure(`${name}.tokensPerSecond`, ours, 'tokens/s', null, how),
    ratios.length === rounds
      ? figure(
          `${name}.vsTransformers`,
          ratios,
          '×',
          bar,
          `${how}; alternating with bench/peer_generate.py, with its own or our allocator settings, whichever is quicker`,
        )
      : {
          name: `${name}.vsTransformers`,
          value: Number.NaN,
          unit: '×',
          bar: `≥ ${bar}`,
          pass: null,
          spread: null,
          how: `skipped: ${peerMissing()}`,
        },
  ];
}

function figure(name: string, values: readonly number[], unit: string, bar: number | null, how: string): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] as number;
  const spread = [sorted[0] as number, sorted.at(-1) as number] as const;
  return { name, value, unit, bar: bar === null ? null : `≥ ${bar}`, pass: bar === null ? null : value >= bar, spread, how };
}
