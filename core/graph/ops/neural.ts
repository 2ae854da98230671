/** @file Operations that ONNX Runtime has as one kernel: normalisation, rotation, activation. */
import { float, type Value } from '../types.ts';

/** x / rms(x) · weight over the last axis. The second output of the kernel is never used: it is wrong on WebGPU. */
export function simplifiedLayerNormalization(x: Value, weight: Value, epsilon: number): Value {
  const attributes = { axis: -1, epsilon: float(epsilon), stash_type: 1 } as const;
  return x.graph.emit('SimplifiedLayerNormalization', [x, weight], attributes, [x])[0] as Value;
}

/** x + added, and its normalisation, in one pass (com.microsoft). */
export function skipSimplifiedLayerNormalization(x: Value, added: Value, weight: Value, epsilon: number): { sum: Value; normed: Value } {
  const inputs = [x, added, weight];
  const [normed, sum] = x.graph.emit('SkipSimplifiedLayerNormalization', inputs, { epsilon: float(epsilon) }, [x, null, null, x]);
  return { sum: sum as Value, normed: normed as Value };
}

/** x [B, heads, T, headDim]; positions int64 [1] (of the first token) or [B, T]; tables [positions, headDim / 2]. */
export function rotaryEmbedding(x: Value, positions: Value, cosine: Value, sine: Value): Value {
  return x.graph.emit('RotaryEmbedding', [x, positions, cosine, sine], { interleaved: 0 }, [x])[0] as Value;
}

/** x · sigmoid(alpha · x); alpha 1 is silu. */
export function quickGelu(x: Value, alpha = 1): Value {
  return x.graph.emit('QuickGelu', [x], { alpha: float(alpha) }, [x])[0] as Value;
}
