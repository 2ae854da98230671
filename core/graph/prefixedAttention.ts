/**
 * @file Attention of several suffixes to one prefix and, causally, to themselves: rows that begin alike share the keys and values of what they
 * have in common, and their gradients meet there.
 */
import { causalMask } from './causalMask.ts';
import type { Act } from './gradients.ts';
import * as op from './ops.ts';
import type { Dim, Value } from './types.ts';

export interface PrefixedInputs {
  /** [P, kv, G, g · T, headDim] */
  readonly query: Value;
  /** [P, kv, G, T, headDim] */
  readonly key: Value;
  readonly value: Value;
  /** [P, kv, 1, S, headDim] */
  readonly prefixKey: Value;
  readonly prefixValue: Value;
}

export interface PrefixedMasks {
  /** [P, 1, 1, 1, S]: 0, or far below any score where a prefix is shorter. */
  readonly prefix: Value;
  /** Integers [T], ascending. */
  readonly positions: Value;
  readonly group: number;
}

/** → [P, kv, G, g · T, headDim] */
export function prefixedAttention(inputs: PrefixedInputs, masks: PrefixedMasks, scale: number): Value {
  const { query, key, value, prefixKey, prefixValue } = inputs;
  const build = () => {
    const toPrefix = op.add(op.fusedMatMul(query, prefixKey, { transB: true, alpha: scale }), masks.prefix);
    const own = op.fusedMatMul(query, key, { transB: true, alpha: scale });
    const length = key.shape[3] as Dim;
    const toOwn = op.add(own, causalMask(own, masks.positions, masks.group, 0, length));
    const probabilities = op.softmax(op.concat([toPrefix, toOwn], 4));
    const split = op.shape(masks.prefix, 4, 5);
    const [start, end] = [query.graph.integers([0]), query.graph.integers([Number.MAX_SAFE_INTEGER])];
    const prefixProbabilities = op.sliceBetween(probabilities, 4, start, split, prefixKey.shape[3] as Dim);
    const ownProbabilities = op.sliceBetween(probabilities, 4, split, end, length);
    const output = op.add(op.fusedMatMul(prefixProbabilities, prefixValue), op.fusedMatMul(ownProbabilities, value));
    return { outputs: [output], attributes: { scale, prefixProbabilities, ownProbabilities } };
  };
  return query.graph.macro('prefixedAttention', [query, key, value, prefixKey, prefixValue], build)[0] as Value;
}

/** As the rule of causal attention, once for each of the two parts; what a prefix gets is the sum over the suffixes. */
export function prefixedAttentionRule({ inputs, outputs, attributes, gradients }: Act<'prefixedAttention'>): Value[] {
  const [query, key, value, prefixKey, prefixValue] = inputs as [Value, Value, Value, Value, Value];
  const dOutput = gradients[0] as Value;
  const { scale, prefixProbabilities, ownProbabilities } = attributes;
  const along = op.reduceSum(op.mul(dOutput, outputs[0] as Value), [-1]);
  const dScores = (probabilities: Value, values: Value) => op.mul(probabilities, op.sub(op.fusedMatMul(dOutput, values, { transB: true }), along));
  const [dPrefix, dOwn] = [dScores(prefixProbabilities, prefixValue), dScores(ownProbabilities, value)];
  const overSuffixes = (x: Value) => op.reduceSum(x, [2]);
  return [
    op.add(op.fusedMatMul(dPrefix, prefixKey, { alpha: scale }), op.fusedMatMul(dOwn, key, { alpha: scale })),
    op.fusedMatMul(dOwn, query, { transA: true, alpha: scale }),
    op.fusedMatMul(ownProbabilities, dOutput, { transA: true }),
    overSuffixes(op.fusedMatMul(dPrefix, query, { transA: true, alpha: scale })),
    overSuffixes(op.fusedMatMul(prefixProbabilities, dOutput, { transA: true })),
  ];
}
