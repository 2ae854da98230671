/** @file AdamW (arXiv 1711.05101) as torch.optim.AdamW computes it: decay first, bias-corrected moments, eps outside the root. In place. */
import type { OptimizerStep } from './config.ts';

export interface AdamWTensor {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** `step` counts from 1; `gradientScale` is the factor of gradient clipping. */
export function adamw(tensor: AdamWTensor, step: number, { lr, betas, eps, weightDecay }: OptimizerStep, gradientScale: number): void {
  const { parameter, gradient, first, second } = tensor;
  const [beta1, beta2] = betas;
  const [rest1, rest2] = [1 - beta1, 1 - beta2];
  const keep = 1 - lr * weightDecay;
  const stepSize = lr / (1 - beta1 ** step);
  const inverseRoot = 1 / Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < parameter.length; i++) {
    const g = (gradient[i] as number) * gradientScale;
    const m = beta1 * (first[i] as number) + rest1 * g;
    const v = beta2 * (second[i] as number) + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = keep * (parameter[i] as number) - (stepSize * m) / (Math.sqrt(v) * inverseRoot + eps);
  }
}

/** Σ x², in float64 and in a fixed order; four sums let the processor overlap the additions. */
export function sumOfSquares(values: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (values[i] as number) ** 2;
    b += (values[i + 1] as number) ** 2;
    c += (values[i + 2] as number) ** 2;
    d += (values[i + 3] as number) ** 2;
  }
  for (let i = whole; i < values.length; i++) a += (values[i] as number) ** 2;
  return a + b + (c + d);
}

/** As torch.nn.utils.clip_grad_norm_. */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + 1e-6));
}
