/** @file Memory by the shape of a model: counts against a model whose size is known, and what is refused. */
import { expect, test } from 'vitest';
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
  expect(memoryEstimate(half, null)).toMatchObject({ trainedParameters: 494_032_768, trainerBytes: 16 * 494_032_768 });
  // PEFT prints 4,399,104 trainable parameters for rank 8 on all linear layers of this model.
  expect(memoryEstimate(half, lora)).toMatchObject({ trainedParameters: 4_399_104, trainerBytes: 16 * 4_399_104 + 4 * 494_032_768 });
});

test('what does not fit is refused with the bytes and what to do', () => {
  expect(memoryProblem(half, lora, 24 * 2 ** 30)).toBeUndefined();
  expect(memoryProblem(half, null, 8 * 2 ** 30)).toMatch(
    /expected a policy that fits into the 8589934592 bytes of this machine.*train an adapter \(policy\.lora\)/,
  );
  expect(memoryProblem({ ...half, layerCount: 40 }, lora, 64 * 2 ** 30)).toMatch(/what one ONNX model holds/);
});
