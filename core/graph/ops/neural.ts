/** @file Operations that ONNX Runtime has as one kernel: normalisation, rotation, activation, attention with a KV cache. */
import type { ValueType } from '../graph.ts';
import { float, type Value } from '../types.ts';

/** x / rms(x) · weight over the last axis. The second output of the kernel is never used: it is wrong on WebGPU. */
export function simplifiedLayerNormalization(x: Value, weight: Value, epsilon: number): Value {
  const attributes = { axis: -1, epsilon: float(epsilon), stash_type: 1 } as const;
  return x.graph.emit('SimplifiedLayerNormalization', [x, weight], attributes, [x])[0] as Value;
}

/** x [B, heads, T, headDim]; positions int64 [1] (of the first token) or [B, T]; tables [positions, headDim / 2]. */
export function rotaryEmbedding(x: Value, positions: Value, cosine: Value, sine: Value): Value {
  return x.graph.emit('RotaryEmbedding', [x, positions, cosine, sine], { interleaved: 0 }, [x])[0] as Value;
}

/** x · sigmoid(alpha · x); alpha 1 is silu. */
export function quickGelu(x: Value, alpha = 1): Value {
  return x.graph.emit('QuickGelu', [x], { alpha: float(alpha) }, [x])[0] as Value;
}

export interface GroupQueryAttentionInputs {
  /** [B, S, heads · headDim] */
  readonly query: Value;
  /** [B, S, kvHeads · headDim] */
  readonly key: Value;
  readonly value: Value;
  /** [B, kvHeads, past, headDim] */
  readonly pastKey: Value;
  readonly pastValue: Value;
  /** int32 [B]: index of the last token of each row. */
  readonly lastIndex: Value;
  /** int32 scalar: longest row, this run included. */
  readonly totalLength: Value;
  /** Given, queries and keys are rotated inside. */
  readonly cosine?: Value;
  readonly sine?: Value;
}

/** Output, present key, present value. */
export function groupQueryAttention(inputs: GroupQueryAttentionInputs, heads: number, kvHeads: number, present: ValueType): [Value, Value, Value] {
  const { query, key, value, pastKey, pastValue, lastIndex, totalLength, cosine, sine } = inputs;
  const rotary = cosine && sine ? [cosine, sine] : [];
  const attributes = { num_heads: heads, kv_num_heads: kvHeads, do_rotary: rotary.length > 0 ? 1 : 0 } as const;
  const all = [query, key, value, pastKey, pastValue, lastIndex, totalLength, ...rotary];
  return query.graph.emit('GroupQueryAttention', all, attributes, [query, present, present]) as [Value, Value, Value];
}
