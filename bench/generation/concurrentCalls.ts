/** @file Concurrent `generate` calls on a decoder, timed, with a policy of random weights: speed does not depend on their values. */
import { writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../../activities/checkpoint/policyFiles.ts';
import type { Decoder } from '../../activities/policy/decoding/decoder.ts';
import type { DecodingRequest } from '../../activities/policy/decoding/decodingRequest.ts';
import type { PolicyDirectory } from '../../activities/policy/decoding/messages.ts';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { randomOf } from '../../core/random.ts';

/**
 * Generated for this long before every measurement, in batches like the measured one: others have been measured meanwhile, and first steps find
 * cold caches and sleeping threads. In time, not tokens, so that the slower side is not the warmer one.
 */
const warmingMs = 500;
const warmingTokens = 32;

export async function writeRandomPolicy(directory: string, preset: Parameters<typeof presetConfig>[0], vocabSize: number): Promise<void> {
  const config = presetConfig(preset, vocabSize);
  const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn: 0, padding: 0 }))]]);
  await writePolicyDirectory(directory, { weights: initialWeights(config, 1), files, card: '' });
}

export interface Calls {
  readonly vocabSize: number;
  readonly rows: number;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  /** All rows have the same prompt, as siblings do. */
  readonly shared: boolean;
}

/** Another seed, other prompts: no prefix is found computed. */
export async function tokensPerSecond(decoder: Decoder, policy: PolicyDirectory, calls: Calls, seed: number): Promise<number> {
  const requests = requestsOf(calls, seed);
  const warmer = requests.map((request) => ({ ...request, context: Int32Array.of(1), maxTokens: warmingTokens }));
  const generateAll = (all: readonly DecodingRequest[]) => Promise.all(all.map((request) => decoder.generate(policy, request)));
  for (const begun = performance.now(); performance.now() - begun < warmingMs; ) await generateAll(warmer);
  const start = performance.now();
  await generateAll(requests);
  return (calls.rows * calls.sampledTokens * 1000) / (performance.now() - start);
}

function requestsOf({ vocabSize, rows, promptTokens, sampledTokens, shared }: Calls, seed: number): DecodingRequest[] {
  return Array.from({ length: rows }, (_, row) => {
    const random = randomOf(1000 * seed + (shared ? 0 : row));
    const context = Int32Array.from({ length: promptTokens }, () => random.integer(0, vocabSize - 1));
    return { context, seed: row, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: sampledTokens, endTokens: [] };
  });
}
