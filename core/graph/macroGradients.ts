/** @file Gradient rules of the macros. */
import type { Act } from './gradients.ts';
import { flatRows, foldGroup, unfoldGroup } from './macros.ts';
import type { AttentionBlock } from './macroTypes.ts';
import * as op from './ops.ts';
import { normalised, zerosLike } from './ruleParts.ts';
import type { Dim, Value } from './types.ts';

export function rmsNormRule({ inputs, attributes, gradients, needs }: Act<'rmsNorm'>): (Value | null)[] {
  const [x, weight] = inputs as [Value, Value];
  return normalised(gradients[0] as Value, x, weight, attributes.epsilon, needs);
}

/** A rotation's gradient is the rotation back. */
export function ropeRule({ attributes: { tables }, gradients }: Act<'rope'>): Value[] {
  return [op.rotaryEmbedding(gradients[0] as Value, tables.positions, tables.cosine, tables.negativeSine)];
}

/** silu′ = s + silu · (1 − s), s the sigmoid of the gate. */
export function swigluRule({ inputs, attributes: { activated }, gradients }: Act<'swiglu'>): Value[] {
  const [gate, up] = inputs as [Value, Value];
  const dy = gradients[0] as Value;
  const gateSigmoid = op.sigmoid(gate);
  const slope = op.add(gateSigmoid, op.mul(activated, op.sub(1, gateSigmoid)));
  return [op.mul(op.mul(dy, up), slope), op.mul(dy, activated)];
}

/** Softmax backward with rowsum(dO · O) instead of rowsum(dP · P): the same number, from tensors that are T / headDim times smaller. */
export function causalAttentionRule({ inputs, attributes: { scale, blocks }, gradients }: Act<'causalAttention'>): Value[] {
  const [q, k, v] = inputs as [Value, Value, Value];
  const parts = blocks.map((block) => blockGradients(foldGroup(gradients[0] as Value, block.start, block.end), block, scale));
  const queries = blocks.map((block, i) => unfoldGroup((parts[i] as BlockGradients).q, q, block));
  const sumOf = (pick: (part: BlockGradients) => Value, like: Value) => prefixSum(parts.map(pick), blocks, like);
  return [queries.length === 1 ? (queries[0] as Value) : op.concat(queries, 3, q.shape[3]), sumOf((part) => part.k, k), sumOf((part) => part.v, v)];
}

interface BlockGradients {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

function blockGradients(dOutput: Value, { q, k, v, probabilities, output }: AttentionBlock, scale: number): BlockGradients {
  const dProbabilities = op.fusedMatMul(dOutput, v, { transB: true });
  const along = op.reduceSum(op.mul(dOutput, output), [-1]);
  const dScores = op.mul(probabilities, op.sub(dProbabilities, along));
  return {
    q: op.fusedMatMul(dScores, k, { alpha: scale }),
    k: op.fusedMatMul(dScores, q, { transA: true, alpha: scale }),
    v: op.fusedMatMul(probabilities, dOutput, { transA: true }),
  };
}

/** Block i has gradients for keys 0 … end_i − 1; every stretch of keys gets the sum over the blocks that saw it. */
function prefixSum(gradients: readonly Value[], blocks: readonly AttentionBlock[], like: Value): Value {
  if (gradients.length === 1) return gradients[0] as Value;
  const sums = blocks.map(({ start, end }, i) =>
    gradients
      .slice(i)
      .map((gradient) => op.slice(gradient, 2, start, end))
      .reduce((sum, part) => op.add(sum, part)),
  );
  return op.concat(sums, 2, like.shape[2]);
}

/** The rows go back where they came from; what was gathered nowhere gets the row of zeros at the end. */
export function gatherRowsRule({ attributes: { inverse, complete }, gradients }: Act<'gatherRows'>): Value[] {
  const dy = flatRows(gradients[0] as Value);
  if (complete) return [op.gather(dy, inverse)];
  const zeros = zerosLike(dy, [1, dy.shape[1] as Dim]);
  return [op.gather(op.concat([dy, zeros], 0), inverse)];
}

/** d logits = d_logprob · (onehot − p) − d_entropy · p · (log p + entropy). */
export function tokenLogprobRule({ inputs, outputs, attributes, gradients }: Act<'tokenLogprob'>): (Value | null)[] {
  const targets = inputs[1] as Value;
  const { logprobs, probabilities } = attributes;
  const [dLogprob, dEntropy] = gradients;
  const entropyPart = dEntropy ? op.neg(op.mul(op.mul(op.add(logprobs, outputs[1] as Value), dEntropy), probabilities)) : null;
  if (!dLogprob) return [entropyPart, null];
  const pushed = op.scatterElements(op.mul(probabilities, op.neg(dLogprob)), targets, dLogprob, 1, 'add');
  return [entropyPart ? op.add(pushed, entropyPart) : pushed, null];
}
