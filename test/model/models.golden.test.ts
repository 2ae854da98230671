/** @file Our transformer, loss, gradients and optimiser against transformers and torch, on every golden model directory. */
import { describe, expect, it } from 'vitest';
import { createSession } from '../../activities/policy/ort/session.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import { layoutFeeds } from '../../core/model/layoutFeeds.ts';
import { graphParameters } from '../../core/model/parameters.ts';
import { layoutInputs } from '../../core/model/rowLayout.ts';
import { decoderLogits, embed } from '../../core/model/transformer.ts';
import { type GoldenModel, goldenModelNames, loadGoldenModel } from './goldenModels.ts';
import { lossAndGradients, lossOf, maxDifference, relativeDifference, rowsOf } from './goldenSteps.ts';
import { everyToken, ways } from './trainingRows.ts';

const weightFeeds = (model: GoldenModel) => Object.fromEntries(Array.from(model.weights, ([name, { data, shape }]) => [name, { data, shape }]));

async function logitsOf(model: GoldenModel): Promise<Float32Array> {
  const { inputIds } = model.expected;
  const lengths = inputIds.map((ids) => ids.length);
  const count = inputIds.flat().length;
  const graph = new Graph();
  const layout = layoutInputs(graph, model.config, 1);
  const { parameters } = graphParameters(graph, model.config, null);
  const embedded = embed(parameters, graph.input('tokens', 'int32', [layout.tokenCount]), model.config, layout.tokenCount);
  graph.output('logits', decoderLogits(embedded, parameters, model.config, layout));
  const session = await createSession(modelBytes(graph));
  const { logits } = await session.run({
    ...weightFeeds(model),
    ...layoutFeeds(
      model.config,
      { lengths, length: Math.max(...lengths), suffixes: null },
      Int32Array.from({ length: count }, (_, token) => token),
    ),
    tokens: { data: Int32Array.from(inputIds.flat()), shape: [count] },
  });
  await session.release();
  return logits as Float32Array;
}

describe.each(goldenModelNames())('%s', async (name) => {
  const model = await loadGoldenModel(name);
  const wanted = (tensor: string) => {
    const found = model.tensors.get(tensor);
    if (!found) throw new Error(`expected.safetensors of ${name}: no tensor ${tensor}`);
    return found.data;
  };

  it('gives the logits of transformers to 1e-4', async () => {
    expect(maxDifference(await logitsOf(model), wanted('logits'))).toBeLessThan(1e-4);
  });

  it.each(ways)('gives the log-probabilities of transformers to 1e-4 ($name)', async ({ options }) => {
    const trainer = new Trainer(model.config, model.weights, null, null, options);
    const rows = await trainer.logprobs(
      rowsOf(model).map(({ tokens }) => everyToken(tokens)),
      model.weights,
      1,
      4096,
      () => {},
    );
    await trainer.release();
    expect(maxDifference(Float32Array.from(rows.flatMap((row) => [...row.subarray(1)])), wanted('logprobs'))).toBeLessThan(1e-4);
  });

  it.each(ways)('gives the loss and the gradients of torch to a relative 1e-4 ($name)', async ({ options }) => {
    const { loss, gradients } = await lossAndGradients(model, new Trainer(model.config, model.weights, null, null, options));
    expect(loss).toBeCloseTo(model.expected.loss, 5);
    for (const [tensor, gradient] of gradients) expect(relativeDifference(gradient, wanted(`gradient.${tensor}`)), tensor).toBeLessThan(1e-4);
  });

  it.each(ways)('gives the weights of torch after three AdamW steps to 1e-4 ($name)', async ({ options }) => {
    const copies = new Map(Array.from(model.weights, ([tensor, { shape, data }]) => [tensor, { shape, data: data.slice() }] as const));
    const trainer = new Trainer(model.config, copies, null, null, options);
    const { adamw } = model.expected;
    for (let step = 0; step < 3; step++) {
      const metrics = await trainer.policyStep(
        rowsOf(model),
        { loss: lossOf(model), temperature: 1, optimizer: adamw, passes: 1, minibatches: 1, microBatchTokens: 64, maxLogprobDifference: 100 },
        () => {},
      );
      expect(metrics.loss).toBeCloseTo(adamw.losses[step] as number, 4);
      expect(Math.abs(metrics.gradNorm / (adamw.gradNorms[step] as number) - 1)).toBeLessThan(1e-3);
    }
    await trainer.release();
    for (const [tensor, { data }] of trainer.state.weights) {
      const [torch, gradient] = [wanted(`adamw3.${tensor}`), wanted(`gradient.${tensor}`)];
      for (const [i, value] of data.entries()) {
        // AdamW divides a gradient by its own size: where that is rounding noise (below eps), the step's length is noise too, up to lr.
        const bound = Math.abs(gradient[i] as number) < adamw.eps ? 3 * adamw.lr : 1e-4;
        if (!(Math.abs(value - (torch[i] as number)) < bound)) expect(value, `${tensor}[${i}]`).toBeCloseTo(torch[i] as number, 4);
      }
    }
  });
});
