/** @file The macros as functions of values: forward nodes here, gradient rules in macroGradients.ts. */
import { maskedScores } from './causalMask.ts';
import type { AttentionBlock, RopeTables } from './macroTypes.ts';
import * as op from './ops.ts';
import { knownDim } from './shapes.ts';
import type { Value } from './types.ts';

export function rmsNorm(x: Value, weight: Value, epsilon: number): Value {
  const build = () => ({ outputs: [op.simplifiedLayerNormalization(x, weight, epsilon)], attributes: { epsilon } });
  return x.graph.macro('rmsNorm', [x, weight], build)[0] as Value;
}

export function rope(x: Value, tables: RopeTables): Value {
  const build = () => ({ outputs: [op.rotaryEmbedding(x, tables.positions, tables.cosine, tables.sine)], attributes: { tables } });
  return x.graph.macro('rope', [x], build)[0] as Value;
}

export function swiglu(gate: Value, up: Value): Value {
  const build = () => {
    const activated = op.quickGelu(gate);
    return { outputs: [op.mul(activated, up)], attributes: { activated } };
  };
  return gate.graph.macro('swiglu', [gate, up], build)[0] as Value;
}

/** q [B, kv, g, T, headDim]; k, v [B, kv, T, headDim]; queries are taken `blockRows` at a time, each against the keys up to its end. */
export function causalAttention(q: Value, k: Value, v: Value, scale: number, blockRows: number): Value {
  const build = () => {
    const length = knownDim(k.shape[2], k.shape);
    const starts = Array.from({ length: Math.ceil(length / blockRows) }, (_, i) => i * blockRows);
    const blocks = starts.map((start) => attentionBlock(q, k, v, scale, start, Math.min(start + blockRows, length)));
    const outputs = blocks.map((block) => unfoldGroup(block.output, q, block));
    return { outputs: [outputs.length === 1 ? (outputs[0] as Value) : op.concat(outputs, 3)], attributes: { scale, blocks } };
  };
  return q.graph.macro('causalAttention', [q, k, v], build)[0] as Value;
}

function attentionBlock(q: Value, k: Value, v: Value, scale: number, start: number, end: number): AttentionBlock {
  const queries = foldGroup(q, start, end);
  const prefix = (x: Value) => (end === x.shape[2] ? x : op.slice(x, 2, 0, end));
  const [keys, values] = [prefix(k), prefix(v)];
  const scores = op.fusedMatMul(queries, keys, { transB: true, alpha: scale });
  const probabilities = op.softmax(maskedScores(scores, start, end));
  return { start, end, q: queries, k: keys, v: values, probabilities, output: op.fusedMatMul(probabilities, values) };
}

/** Rows start … end − 1 of [B, kv, g, T, headDim] as [B, kv, g · rows, headDim]. */
export function foldGroup(x: Value, start: number, end: number): Value {
  const [batch, kv, group, length, width] = x.shape.map((dim) => knownDim(dim, x.shape)) as [number, number, number, number, number];
  const rows = start === 0 && end === length ? x : op.slice(x, 3, start, end);
  return op.reshape(rows, [batch, kv, group * (end - start), width]);
}

export function unfoldGroup(x: Value, like: Value, { start, end }: { start: number; end: number }): Value {
  const [batch, kv, group, , width] = like.shape.map((dim) => knownDim(dim, like.shape)) as [number, number, number, number, number];
  return op.reshape(x, [batch, kv, group, end - start, width]);
}

/** logits [N, V], targets int64 [N, 1]. The entropy is that of the same distribution, in nats. */
export function tokenLogprob(logits: Value, targets: Value): { logprob: Value; entropy: Value } {
  const build = () => {
    const logprobs = op.logSoftmax(logits);
    const probabilities = op.exp(logprobs);
    const entropy = op.neg(op.reduceSum(op.mul(probabilities, logprobs), [-1]));
    return { outputs: [op.gatherElements(logprobs, targets, 1), entropy], attributes: { logprobs, probabilities } };
  };
  const [logprob, entropy] = logits.graph.macro('tokenLogprob', [logits, targets], build);
  return { logprob: logprob as Value, entropy: entropy as Value };
}
