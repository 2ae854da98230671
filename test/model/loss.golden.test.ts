/** @file The clipped surrogate as an ONNX graph against torch autograd: loss, gradient with respect to the log-probabilities, clip fraction. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSession } from '../../activities/policy/ort/session.ts';
import { isClipped } from '../../activities/policy/training/policyFigures.ts';
import { gradientsOf } from '../../core/graph/autodiff.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import type { Value } from '../../core/graph/types.ts';
import { type PolicyLossOptions, policyLoss } from '../../core/model/losses.ts';
import { tokenWeights } from '../../core/model/tokenWeights.ts';
import type { Aggregation } from '../../core/run/config.ts';
import { goldenFolder } from './goldenModels.ts';

interface LossCase {
  readonly aggregation: Aggregation;
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly policyLogprobs: readonly (readonly number[])[];
  readonly behaviorLogprobs: readonly (readonly number[])[];
  readonly advantages: readonly (readonly number[])[];
  readonly sampledMask: readonly (readonly number[])[];
  readonly loss: number;
  readonly gradient: readonly (readonly number[])[];
  readonly clipFraction: number;
}

const { cases } = JSON.parse(readFileSync(join(goldenFolder, 'loss_cases.json'), 'utf8')) as { cases: readonly LossCase[] };

interface TokenInputs {
  readonly policyLogprobs: readonly number[];
  readonly behaviorLogprobs: readonly number[];
  readonly advantages: readonly number[];
  readonly weights: readonly number[];
  readonly referenceLogprobs?: readonly number[];
  readonly entropy?: readonly number[];
}

/** Loss, and its gradients with respect to policy log-probabilities and entropy. */
async function computed(
  inputs: TokenInputs,
  options: PolicyLossOptions,
): Promise<{ loss: number; gradient: Float64Array; entropyGradient: Float64Array | undefined }> {
  const count = inputs.policyLogprobs.length;
  const graph = new Graph();
  const feed = (values: readonly number[]) => ({ data: Float64Array.from(values), shape: [count, 1] });
  const zeros = inputs.policyLogprobs.map(() => 0);
  const feeds = {
    policyLogprobs: feed(inputs.policyLogprobs),
    entropy: feed(inputs.entropy ?? zeros),
    behaviorLogprobs: feed(inputs.behaviorLogprobs),
    advantages: feed(inputs.advantages),
    weights: feed(inputs.weights),
    referenceLogprobs: feed(inputs.referenceLogprobs ?? zeros),
  };
  const values = Object.fromEntries(Object.keys(feeds).map((name) => [name, graph.input(name, 'float64', [count, 1])])) as Record<keyof typeof feeds, Value>;
  const loss = policyLoss(values.policyLogprobs, values.entropy, values, options);
  const [gradient, entropyGradient] = gradientsOf(loss, [values.policyLogprobs, values.entropy]);
  graph.output('loss', loss);
  graph.output('gradient', gradient as Value);
  if (entropyGradient) graph.output('entropyGradient', entropyGradient);
  const session = await createSession(modelBytes(graph), { optimization: 'basic', threads: 1 });
  const outputs = await session.run(feeds);
  await session.release();
  return {
    loss: (outputs['loss'] as Float64Array)[0] as number,
    gradient: outputs['gradient'] as Float64Array,
    entropyGradient: outputs['entropyGradient'] as Float64Array | undefined,
  };
}

const plain: PolicyLossOptions = { clipLow: 0.2, clipHigh: 0.28, dualClip: null, klCoefficient: 0, entropyCoefficient: 0 };

describe('policy loss', () => {
  it.each(cases.map((golden, i) => [`case ${i}, ${golden.aggregation}`, golden] as const))('%s agrees with torch to 1e-6', async (_, golden) => {
    const weights = tokenWeights(golden.sampledMask, golden.aggregation).flatMap((row) => [...row]);
    const [policyLogprobs, behaviorLogprobs, advantages] = [golden.policyLogprobs.flat(), golden.behaviorLogprobs.flat(), golden.advantages.flat()];
    const { loss, gradient } = await computed(
      { policyLogprobs, behaviorLogprobs, advantages, weights },
      { ...plain, clipLow: golden.clipLow, clipHigh: golden.clipHigh },
    );
    expect(Math.abs(loss - golden.loss)).toBeLessThanOrEqual(1e-6);
    for (const [i, wanted] of golden.gradient.flat().entries()) expect(Math.abs((gradient[i] as number) - wanted), `token ${i}`).toBeLessThanOrEqual(1e-6);
    const sampled = golden.sampledMask.flat();
    const clipped = sampled.filter(
      (flag, i) =>
        flag && isClipped(Math.exp((policyLogprobs[i] as number) - (behaviorLogprobs[i] as number)), advantages[i] as number, { ...golden, dualClip: null }),
    );
    expect(clipped.length / sampled.filter(Boolean).length).toBeCloseTo(golden.clipFraction, 12);
  });

  it('dual clip bounds the loss of a negative advantage at c · |A| and stops its gradient there', async () => {
    // ratio 20, A −1: the surrogate alone would be −20; at ratio 2 the bound of 3 is not reached.
    const inputs = { policyLogprobs: [Math.log(20), Math.log(2)], behaviorLogprobs: [0, 0], advantages: [-1, -1], weights: [1, 1] };
    const { loss, gradient } = await computed(inputs, { ...plain, dualClip: 3 });
    expect(loss).toBeCloseTo(3 + 2, 6);
    expect(gradient[0]).toBe(0);
    expect(gradient[1]).toBeCloseTo(2, 6);
  });

  it('klK3 is exp(d) − d − 1 with d = reference − policy, and pulls towards the reference', async () => {
    const inputs = { policyLogprobs: [-1], behaviorLogprobs: [-1], advantages: [0], weights: [1], referenceLogprobs: [-2] };
    const { loss, gradient } = await computed(inputs, { ...plain, klCoefficient: 0.5 });
    expect(loss).toBeCloseTo(0.5 * (Math.exp(-1) + 1 - 1), 6);
    expect(gradient[0]).toBeCloseTo(0.5 * (1 - Math.exp(-1)), 6);
  });

  it('the entropy bonus lowers the loss by coefficient · weight · entropy', async () => {
    const inputs = { policyLogprobs: [-1], behaviorLogprobs: [-1], advantages: [0], weights: [0.25], entropy: [2] };
    const { loss, entropyGradient } = await computed(inputs, { ...plain, entropyCoefficient: 0.1 });
    expect(loss).toBeCloseTo(-0.05, 6);
    expect(entropyGradient?.[0]).toBeCloseTo(-0.025, 6);
  });

  it('a token of weight 0 has no gradient, whatever its values', async () => {
    const { gradient } = await computed({ policyLogprobs: [-1, -1], behaviorLogprobs: [-3, -1], advantages: [5, 1], weights: [0, 1] }, plain);
    expect(gradient[0]).toBe(0);
    expect(gradient[1]).toBeCloseTo(-1, 6);
  });
});
