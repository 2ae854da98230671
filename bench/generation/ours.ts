/**
 * @file Our side, in a process of its own with the settings of a policy worker: reads a case a line and answers each with a line
 * `{"tokensPerSecond"}`, as bench/peer_generate.py does. Its one argument is a directory for the policies.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import { type GenerationCase, vocabSizes } from './cases.ts';
import { tokensPerSecond, writeRandomPolicy } from './concurrentCalls.ts';

const [, , home = ''] = process.argv;
const directoryOf = (shape: GenerationCase['shape']) => join(home, shape);
const decoder = new Decoder();
for (const shape of ['S', 'M'] as const) await writeRandomPolicy(directoryOf(shape), shape, vocabSizes[shape]);
let measurements = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { shape, ...calls } = JSON.parse(line) as GenerationCase;
  const policy = { key: shape, path: directoryOf(shape) };
  const rate = await tokensPerSecond(decoder, policy, { ...calls, vocabSize: vocabSizes[shape] }, ++measurements);
  process.stdout.write(`${JSON.stringify({ tokensPerSecond: rate })}\n`);
}
await decoder.close();
