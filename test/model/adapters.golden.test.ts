/** @file Adapters against PEFT on every golden adapter directory: log-probabilities, loss, gradients, and the merged weights. */
import { describe, expect, it } from 'vitest';
import { describeBaseModel } from '../../activities/checkpoint/baseModel.ts';
import { frozenWeights } from '../../activities/checkpoint/frozenWeights.ts';
import { openModelDirectory } from '../../activities/checkpoint/modelDirectory.ts';
import { Trainer, type TrainerOptions, trainingSessions } from '../../activities/policy/training/trainer.ts';
import { mergedWeights } from '../../core/model/lora.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { goldenAdapterNames, loadGoldenAdapter } from './goldenModels.ts';
import { lossAndGradients, maxDifference, relativeDifference, rowsOf } from './goldenSteps.ts';
import { everyToken, ways } from './trainingRows.ts';

describe.each(goldenAdapterNames())('%s', async (name) => {
  const adapter = await loadGoldenAdapter(name);
  const { model } = adapter;
  const wanted = (tensor: string) => {
    const found = adapter.tensors.get(tensor);
    if (!found) throw new Error(`expected.safetensors of ${name}: no tensor ${tensor}`);
    return found.data;
  };

  /** On the base as it lies on disk. */
  async function trainer(options: TrainerOptions): Promise<Trainer> {
    const opened = await openModelDirectory(adapter.directory.replace(/-lora$/, ''));
    const frozen = await frozenWeights(opened, await describeBaseModel('golden', opened), await temporaryDirectory('widened'));
    return new Trainer(model.config, adapter.weights, null, null, options, trainingSessions(model.config, options, { ...frozen, lora: adapter.lora }));
  }

  it.each(ways)('gives the log-probabilities of PEFT to 1e-4 ($name)', async ({ options }) => {
    const computed = await trainer(options);
    const rows = rowsOf(model).map(({ tokens }) => everyToken(tokens));
    const logprobs = await computed.logprobs(rows, adapter.weights, 1, 4096, () => {});
    await computed.release();
    expect(maxDifference(Float32Array.from(logprobs.flatMap((row) => [...row.subarray(1)])), wanted('logprobs'))).toBeLessThan(1e-4);
  });

  it.each(ways)('gives the loss and the gradients of torch to a relative 1e-4, and none for the base ($name)', async ({ options }) => {
    const { loss, gradients } = await lossAndGradients(model, await trainer(options));
    expect(loss).toBeCloseTo(adapter.loss, 5);
    expect([...gradients.keys()].sort()).toEqual([...adapter.weights.keys()].sort());
    for (const [tensor, gradient] of gradients) expect(relativeDifference(gradient, wanted(`gradient.${tensor}`)), tensor).toBeLessThan(1e-4);
  });

  it('merges to the weights of PEFT, and leaves the others alone', () => {
    const merged = mergedWeights(model.weights, adapter.weights, adapter.lora);
    const changed = [...adapter.tensors.keys()].flatMap((tensor) => (tensor.startsWith('merged.') ? [tensor.slice('merged.'.length)] : []));
    for (const tensor of changed) expect(relativeDifference(merged.get(tensor)?.data as Float32Array, wanted(`merged.${tensor}`)), tensor).toBeLessThan(1e-6);
    expect(changed.length * 2).toBe(adapter.weights.size);
    for (const [tensor, value] of model.weights) expect(merged.get(tensor) === value, tensor).toBe(!changed.includes(tensor));
  });
});
