/** @file model.onnx gives transformers' logits, whole rows at once and token by token with its cache, in Node and in Python. */
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { exportOnnx } from '../../activities/checkpoint/exportOnnx.ts';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { goldenFolder, goldenModelNames, loadGoldenModel } from '../model/goldenModels.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

type Cache = Record<string, ort.Tensor>;

async function run(session: ort.InferenceSession, tokens: readonly number[], cache: Cache) {
  const done = (Object.values(cache)[0] as ort.Tensor).dims[2] as number;
  const int64 = (values: readonly number[]) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const feeds = {
    input_ids: int64(tokens),
    position_ids: int64(tokens.map((_, i) => done + i)),
    attention_mask: int64(new Array(done + tokens.length).fill(1)),
    ...cache,
  };
  const outputs = await session.run(feeds);
  const next = Object.fromEntries(Object.keys(cache).map((name) => [name, outputs[name.replace('past_key_values', 'present')] as ort.Tensor]));
  return { logits: (outputs['logits'] as ort.Tensor).data as Float32Array, cache: next };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));
}

describe.each(goldenModelNames())('%s', (name) => {
  test('logits of whole rows, and token by token', async (context) => {
    const { expected, tensors, config } = await loadGoldenModel(name);
    const out = join(await temporaryDirectory('onnx'), 'exported');
    await exportOnnx(join(goldenFolder, 'models', name), name, out);
    expect(await readdir(out)).toEqual(expect.arrayContaining(['config.json', 'model.onnx', 'model.safetensors', 'tokenizer.json']));
    expect((await readPolicyDirectory(out)).config).toEqual(config);
    const session = await ort.InferenceSession.create(join(out, 'model.onnx'));
    const empty = Object.fromEntries(
      session.inputNames
        .filter((input) => input.startsWith('past'))
        .map((input) => [input, new ort.Tensor('float32', new Float32Array(), [1, config.kvHeadCount, 0, config.headDim])]),
    );
    const golden = tensors.get('logits')?.data as Float32Array;
    const widest = Math.max(...expected.inputIds.map((ids) => ids.length));
    const wholeRows: number[][] = [];
    for (const [row, ids] of expected.inputIds.entries()) {
      const start = row * widest * config.vocabSize;
      const reference = golden.subarray(start, start + ids.length * config.vocabSize);
      const scale = Math.max(...reference.map(Math.abs));
      const whole = await run(session, ids, empty);
      wholeRows.push([...whole.logits]);
      expect(largestDifference(whole.logits, reference)).toBeLessThan(1e-5 * Math.max(1, scale));
      let cache: Cache = empty;
      const steps: number[] = [];
      for (const id of ids) {
        const step = await run(session, [id], cache);
        cache = step.cache;
        steps.push(...step.logits);
      }
      expect(largestDifference(steps, reference)).toBeLessThan(1e-5 * Math.max(1, scale));
    }
    await session.release();
    const python = process.env['TURNWISE_PYTHON'] ?? 'python3';
    if (spawnSync(python, ['-c', 'import numpy, onnxruntime']).status !== 0) return context.skip('no Python with onnxruntime');
    const ids = expected.inputIds[0] as readonly number[];
    const script = join(import.meta.dirname, 'onnx_logits.py');
    const { stdout, stderr } = spawnSync(python, [script, out], { input: JSON.stringify({ ids: [ids, ids] }), encoding: 'utf8', maxBuffer: 2 ** 28 });
    expect(stderr).toBe('');
    const answer = JSON.parse(stdout) as { whole: number[][][]; steps: number[][][] };
    for (const logits of [answer.whole[0], answer.steps[1]]) expect(largestDifference(logits?.flat() ?? [], wholeRows[0] ?? [])).toBeLessThan(1e-4);
  }, 120_000);
});
