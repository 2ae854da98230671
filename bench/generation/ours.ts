/**
 * @file Our side: concurrent `generate` calls on one decoder, in a process of its own with the settings of a policy worker. Reads a case a line
 * and answers each with a line `{"tokensPerSecond"}`, as bench/peer_generate.py does. Its one argument is a directory for the policies.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { jsonBytes } from '../../activities/checkpoint/policyFiles.ts';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import type { DecodingRequest } from '../../activities/policy/decoding/decodingRequest.ts';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { randomOf } from '../../core/random.ts';
import { type GenerationCase, vocabSizes, warmingTokens } from './cases.ts';

const [, , home = ''] = process.argv;
const decoder = new Decoder();
for (const shape of Object.keys(vocabSizes) as (keyof typeof vocabSizes)[]) await writePolicy(shape);
let measurements = 0;
for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify({ tokensPerSecond: await tokensPerSecond(JSON.parse(line) as GenerationCase) })}\n`);
await decoder.close();

async function writePolicy(shape: GenerationCase['shape']): Promise<void> {
  const config = presetConfig(shape, vocabSizes[shape]);
  const files = new Map([['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn: 0, padding: 0 }))]]);
  await writePolicyDirectory(join(home, shape), { weights: initialWeights(config, 1), files, card: '' });
}

/** Prompts differ between measurements, so that no prefix is found computed. */
async function tokensPerSecond({ shape, rows, promptTokens, sampledTokens, shared }: GenerationCase): Promise<number> {
  const seed = 1000 * ++measurements;
  const requests = Array.from({ length: rows }, (_, row): DecodingRequest => {
    const random = randomOf(seed + (shared ? 0 : row));
    const context = Int32Array.from({ length: promptTokens }, () => random.integer(0, vocabSizes[shape] - 1));
    return { context, seed: row, rule: { temperature: 1, topK: 0, topP: 1 }, maxTokens: sampledTokens, endTokens: [] };
  });
  const policy = { key: shape, path: join(home, shape) };
  await decoder.generate(policy, { ...(requests[0] as DecodingRequest), context: Int32Array.of(1), maxTokens: warmingTokens });
  const start = performance.now();
  await Promise.all(requests.map((request) => decoder.generate(policy, request)));
  return (rows * sampledTokens * 1000) / (performance.now() - start);
}
