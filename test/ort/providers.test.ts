/** @file Providers: the names, the self-test that finds a wrong gradient behind a right loss, and what is said of those that are not there. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { remedyOf, settleProvider, wantedProvider } from '../../activities/policy/ort/providers.ts';
import { disagreement, providerProblem } from '../../activities/policy/ort/selfTest.ts';

test('cpu unless the environment says otherwise', () => {
  expect(wantedProvider({})).toBe('cpu');
  expect(wantedProvider({ TURNWISE_PROVIDER: 'auto' })).toBe('auto');
  expect(() => wantedProvider({ TURNWISE_PROVIDER: 'gpu' })).toThrow('TURNWISE_PROVIDER: expected cpu, cuda, webgpu or auto, got "gpu"');
});

test('the CPU agrees with itself', async () => {
  expect(await providerProblem('cpu')).toBeUndefined();
}, 60_000);

test('one wrong gradient is found, and named; rounding is not', () => {
  const expected = { loss: Float32Array.of(1), 'gradient.a': Float32Array.of(0.5, -2), 'gradient.b': Float32Array.of(0.01, 0.02) };
  expect(disagreement(expected, { ...expected, 'gradient.a': Float32Array.of(0.5001, -2) })).toBeUndefined();
  expect(disagreement(expected, { ...expected, 'gradient.b': Float32Array.of(0.01, 0.03) })).toMatch(/1 of 3 tensors .*gradient\.b by 0\.50/);
  expect(disagreement(expected, { ...expected, 'gradient.a': Float32Array.of(Number.NaN, -2) })).toMatch(/gradient\.a by Infinity/);
  expect(disagreement(expected, { loss: expected.loss })).toMatch(/2 of 3 tensors/);
});

test('without its library CUDA is refused, with where to get it', async (context) => {
  if (existsSync('/dev/nvidiactl')) context.skip('this machine has a CUDA GPU');
  await expect(settleProvider('cuda')).rejects.toThrow(/TURNWISE_PROVIDER=cuda cannot be used: .*onnxruntime-gpu/);
}, 120_000);

test('where nothing else computes, auto is the CPU, and says why', async (context) => {
  const settled = await settleProvider('auto');
  if (settled.provider !== 'cpu') context.skip(`this machine has a ${settled.provider} GPU`);
  expect(settled.refused.map((text) => text.split(':')[0])).toEqual(['cuda', 'webgpu']);
  expect(settled.refused[1]).toMatch(/adapter/);
}, 120_000);

test('a reason without a known cure is left as it is', () => {
  expect(remedyOf('cuda', 'out of memory')).toBe('');
});
