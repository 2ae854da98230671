/** @file A policy directory is one that other software loads, and what other software wrote comes back to the bit. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type Policy, readPolicyDirectory, writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { declareFloat32, readPolicyFiles } from '../../activities/checkpoint/policyFiles.ts';
import { encodeSafetensors } from '../../activities/checkpoint/safetensors.ts';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import { initialPolicy } from '../../activities/trainer/initialPolicy.ts';
import type { RunConfig } from '../../core/run/config.ts';
import type { Message } from '../../core/tasks/task.ts';
import { everyToken } from '../model/trainingRows.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

const golden = join(process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '..', 'golden'), 'models');
const python = process.env['TURNWISE_PYTHON'];

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory('policy');
});

const bits = (policy: Policy) =>
  [...policy.weights].map(([name, { shape, data }]) => [name, shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')]);

test.each(['qwen2-tiny', 'qwen3-tiny', 'llama-tiny-bf16'])('%s: read, written and read again, it is the same policy', async (name) => {
  const original = await readPolicyDirectory(join(golden, name));
  const files = declareFloat32(await readPolicyFiles(join(golden, name)));
  await writePolicyDirectory(directory, { weights: original.weights, files, card: '' });
  const copy = await readPolicyDirectory(directory);
  expect(copy.config).toEqual(original.config);
  expect(bits(copy)).toEqual(bits(original));
  expect(JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'))).toMatchObject({ dtype: 'float32' });
});

test('a float32 file is written with the very bytes that the format’s own library writes', async () => {
  const { weights } = await readPolicyDirectory(join(golden, 'qwen2-tiny'));
  const original = await readFile(join(golden, 'qwen2-tiny', 'model.safetensors'));
  expect(Buffer.concat(encodeSafetensors(weights, { format: 'pt' })).equals(original)).toBe(true);
});

test('a missing, an extra and a misshapen tensor are named; copies of a tied embedding are passed over', async () => {
  const { weights } = await readPolicyDirectory(join(golden, 'qwen2-tiny'));
  const files = await readPolicyFiles(join(golden, 'qwen2-tiny'));
  const write = (changed: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>) =>
    writeFile(join(directory, 'model.safetensors'), Buffer.concat(encodeSafetensors(changed)));
  for (const [name, content] of files) await writeFile(join(directory, name), content);
  const norm = { shape: [64], data: new Float32Array(64) };
  await write(new Map([...weights].filter(([name]) => name !== 'model.norm.weight')));
  await expect(readPolicyDirectory(directory)).rejects.toThrow(/model\.norm\.weight/);
  await write(new Map([...weights, ['model.stray.weight', norm]]));
  await expect(readPolicyDirectory(directory)).rejects.toThrow(/model\.stray\.weight/);
  await write(new Map([...weights, ['model.norm.weight', { shape: [32, 2], data: norm.data }]]));
  await expect(readPolicyDirectory(directory)).rejects.toThrow(/model\.norm\.weight.*\[64\].*\[32,2\]/);
  const embedding = weights.get('model.embed_tokens.weight') as typeof norm;
  await write(new Map([...weights, ['lm_head.weight', embedding], ['model.layers.0.self_attn.rotary_emb.inv_freq', norm]]));
  expect((await readPolicyDirectory(directory)).weights.size).toBe(weights.size);
});

const conversation: readonly Message[] = [
  { role: 'user', content: 'What is the age of the boss of kj?' },
  { role: 'assistant', content: "<code>boss('kj')</code>" },
  { role: 'tool', content: "'iu'" },
  { role: 'assistant', content: '<answer>91</answer>' },
];

// With its reason in the name, because a table of tests is skipped as a whole.
const withPython = python === undefined ? test.skip : test;

withPython.each([
  ['nano', 'tags'],
  ['nano', 'bytes'],
  ['S', 'tags'],
] as const)(
  'transformers (TURNWISE_PYTHON) loads a policy made from %s and %s, and computes the same',
  async (preset, vocabulary) => {
    if (python === undefined) return expect.soft(python, 'TURNWISE_PYTHON is not set').toBeUndefined();
    const policyConfig = { preset, vocabulary, path: null, contextLength: 160, turnFormat: 'tags' } as const;
    const policy = await initialPolicy({ policy: policyConfig, seed: 3 } as unknown as RunConfig);
    await writePolicyDirectory(directory, { weights: policy.weights, files: policy.files, card: '# a policy\n' });
    const tokenizer = await PolicyTokenizer.load(directory);
    const ids = [tokenizer.encodeConversation(conversation), Int32Array.from({ length: 40 }, (_, i) => (i * 7) % tokenizer.vocabSize)];
    const answer = JSON.parse(pythonAnswer({ ids: ids.map((row) => [...row]), conversation }));
    expect(answer).toMatchObject({ missing: [], unexpected: [], dtype: 'torch.float32', endOfTurn: tokenizer.endOfTurn, endOfTurnToken: tokenizer.endOfTurn });
    expect(answer.conversation).toEqual([...(ids[0] as Int32Array)]);
    const ours = await ourLogprobs(policy, ids);
    expect(largestDifference(ours, answer.logprobs)).toBeLessThan(1e-4);
  },
  120_000,
);

function pythonAnswer(request: unknown): string {
  const { status, stdout, stderr } = spawnSync(python as string, [join(import.meta.dirname, 'load_policy.py'), directory], {
    input: JSON.stringify(request),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout.trim().split('\n').at(-1) as string;
}

async function ourLogprobs(policy: Policy, ids: readonly Int32Array[]): Promise<readonly Float32Array[]> {
  const trainer = new Trainer(policy.config, policy.weights, null, null, { threads: 1 });
  try {
    return await trainer.logprobs(ids.map(everyToken), policy.weights, 1, 4096, () => {});
  } finally {
    await trainer.release();
  }
}

/** Ours are aligned with the tokens: entry t is of token t, and nothing is said of token 0. */
function largestDifference(ours: readonly Float32Array[], theirs: readonly (readonly number[])[]): number {
  return Math.max(...theirs.flatMap((row, i) => row.map((logprob, t) => Math.abs(logprob - ((ours[i] as Float32Array)[t + 1] as number)))));
}
