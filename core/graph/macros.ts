/** @file The macros as functions of values: forward nodes here, gradient rules in macroGradients.ts. */
import { causalMask } from './causalMask.ts';
import type { AttentionBlock, RopeTables, RowGather } from './macroTypes.ts';
import * as op from './ops.ts';
import { stretch, times } from './shapes.ts';
import type { Dim, Value } from './types.ts';

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

/** Where queries are cut into blocks: every start, and the length where the last block ends. */
export interface AttentionCuts {
  readonly starts: readonly number[];
  readonly length: Dim;
}

/** q [B, kv, g, T, headDim]; k, v [B, kv, T, headDim]; positions integers [T], ascending. Each block sees the keys up to its end. */
export function causalAttention(q: Value, k: Value, v: Value, positions: Value, scale: number, { starts, length }: AttentionCuts): Value {
  const build = () => {
    const blocks = starts.map((start, i) => attentionBlock(q, k, v, positions, scale, start, starts[i + 1] ?? length));
    const outputs = blocks.map((block) => unfoldGroup(block.output, q, block));
    return { outputs: [outputs.length === 1 ? (outputs[0] as Value) : op.concat(outputs, 3, length)], attributes: { scale, blocks } };
  };
  return q.graph.macro('causalAttention', [q, k, v], build)[0] as Value;
}

function attentionBlock(q: Value, k: Value, v: Value, positions: Value, scale: number, start: number, end: Dim): AttentionBlock {
  const queries = foldGroup(q, start, end);
  const prefix = (x: Value) => (end === x.shape[2] ? x : op.slice(x, 2, 0, end));
  const [keys, values] = [prefix(k), prefix(v)];
  const scores = op.fusedMatMul(queries, keys, { transB: true, alpha: scale });
  const probabilities = op.softmax(op.add(scores, causalMask(scores, positions, q.shape[2] as number, start, end)));
  return { start, end, q: queries, k: keys, v: values, probabilities, output: op.fusedMatMul(probabilities, values) };
}

/** Rows start … end − 1 of [B, kv, g, T, headDim] as [B, kv, g · rows, headDim]. */
export function foldGroup(x: Value, start: number, end: Dim): Value {
  const [batch, kv, group, length, width] = x.shape as [Dim, Dim, number, Dim, Dim];
  const rows = start === 0 && end === length ? x : op.slice(x, 3, start, end);
  return op.reshape(rows, [batch, kv, times(group, stretch(start, end)), width]);
}

export function unfoldGroup(x: Value, like: Value, { start, end }: { start: number; end: Dim }): Value {
  const [batch, kv, group, , width] = like.shape as [Dim, Dim, Dim, Dim, Dim];
  return op.reshape(x, [batch, kv, group, stretch(start, end), width]);
}

/** x [..., D] → [...rows, D]; see RowGather. */
export function gatherRows(x: Value, gather: RowGather): Value {
  const build = () => ({ outputs: [op.gather(flatRows(x), gather.rows)], attributes: gather });
  return x.graph.macro('gatherRows', [x], build)[0] as Value;
}

/** All leading axes as one. */
export function flatRows(x: Value): Value {
  if (x.shape.length === 2) return x;
  const [leading, width] = [x.shape.slice(0, -1), x.shape.at(-1) as Dim];
  const count = leading.every((dim) => typeof dim === 'number') ? leading.reduce((product, dim) => product * dim, 1) : leading.join('*');
  return op.reshape(x, [count, width]);
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
