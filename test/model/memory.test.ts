/** @file Memory by the shape of a model: counts against a model whose size is known, and what is refused. */
import { expect, test } from 'vitest';
import { activationBytes, microBatchLimit } from '../../core/model/activations.ts';
import { loraModules } from '../../core/model/lora.ts';
import { memoryEstimate, memoryProblem } from '../../core/model/memory.ts';
import { presetConfig } from '../../core/model/presets.ts';

/** The shape of Qwen2.5-0.5B, which has 494,032,768 parameters. */
const half = {
  ...presetConfig('M', 151_936),
  ...{ hiddenSize: 896, layerCount: 24, headCount: 14, kvHeadCount: 2, headDim: 64, intermediateSize: 4864 },
};
const lora = { rank: 8, alpha: 16, rsLora: false, targetModules: [...loraModules] };

test('a whole model takes four times its weights in the trainer, an adapter four times its own beside the base', () => {
  expect(memoryEstimate(half, null, 512)).toMatchObject({ trainedParameters: 494_032_768, trainerBytes: 16 * 494_032_768 });
  // PEFT prints 4,399,104 trainable parameters for rank 8 on all linear layers of this model.
  expect(memoryEstimate(half, lora, 512)).toMatchObject({ trainedParameters: 4_399_104, trainerBytes: 16 * 4_399_104 + 4 * 494_032_768 });
});

test('what does not fit is refused with the bytes and what to do', () => {
  expect(memoryProblem(half, lora, 512, 24 * 2 ** 30)).toBeUndefined();
  expect(memoryProblem(half, null, 512, 8 * 2 ** 30)).toMatch(
    /expected a policy that fits into the 8589934592 bytes of this machine.*train an adapter \(policy\.lora\)/,
  );
  expect(memoryProblem({ ...half, layerCount: 40 }, lora, 512, 64 * 2 ** 30)).toMatch(/what one ONNX model holds/);
});

test('micro-batches are as large as pays, but hold no more than 4 GB; a row that is longer is counted whole', () => {
  expect(microBatchLimit(presetConfig('M', 4096), 512)).toBe(1536);
  const tokens = microBatchLimit(half, 256);
  expect(activationBytes(half, tokens, 256)).toBeLessThanOrEqual(4e9);
  expect(activationBytes(half, tokens + 1, 256)).toBeGreaterThan(4e9);
  expect(memoryEstimate(half, lora, 4096).activationBytes).toBe(activationBytes(half, 4096, 4096));
  expect(memoryProblem(half, lora, 32_768, 24 * 2 ** 30)).toMatch(/lower policy\.contextLength/);
});

test('with activations computed again, the estimate is what measured updates held or more, and micro-batches are larger', () => {
  // Resident bytes that updates added beyond weights, moments and gradients (docs/log.md), ONNX Runtime's own among them.
  const measured = { S: 145e6, M: 420e6 };
  expect(memoryEstimate(presetConfig('S', 512), null, 256, true).activationBytes).toBeGreaterThan(measured.S);
  expect(memoryEstimate(presetConfig('M', 4096), null, 512, true).activationBytes).toBeGreaterThan(measured.M);
  expect(memoryEstimate(half, lora, 256, true).activationBytes).toBeLessThan(memoryEstimate(half, lora, 256).activationBytes / 2);
  expect(microBatchLimit(half, 256, true)).toBe(1536);
});
