/** @file The gradient of one optimiser step: micro-batches added in their order, then norm, clipping and AdamW. */
import { adamw, clipScale, sumOfSquares } from '../../../core/model/adamw.ts';
import type { OptimizerStep, Tensor } from '../../../core/model/config.ts';
import { embeddingName } from '../../../core/model/tensorNames.ts';
import { embeddedGradientName, gradientName } from '../../../core/model/trainingGraph.ts';
import type { FeedArray } from '../ort/session.ts';
import { NonFiniteLoss } from './errors.ts';

export interface ModelState {
  readonly weights: Map<string, Tensor>;
  readonly first: Map<string, Tensor>;
  readonly second: Map<string, Tensor>;
  step: number;
}

export class GradientSum {
  /** By tensor name. */
  readonly sums = new Map<string, Float32Array>();

  /** `tokens` are those that were embedded, in the order of the rows of `gradient.embedded`. */
  add(state: ModelState, outputs: Readonly<Record<string, FeedArray>>, tokens: Int32Array): void {
    for (const [name, tensor] of state.weights) {
      const gradient = outputs[gradientName(name)] as Float32Array | undefined;
      const sum = this.sums.get(name);
      if (gradient && sum) addTo(sum, gradient);
      else if (gradient) this.sums.set(name, gradient);
      else if (!sum) this.sums.set(name, new Float32Array(tensor.data.length));
    }
    const embedded = outputs[embeddedGradientName] as Float32Array | undefined;
    if (embedded) addRows(this.sums.get(embeddingName) as Float32Array, embedded, tokens);
  }

  /** Changes weights and moments; answers with the norm before clipping. @throws NonFiniteLoss before any change. */
  apply(state: ModelState, optimizer: OptimizerStep): number {
    let squares = 0;
    for (const sum of this.sums.values()) squares += sumOfSquares(sum);
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm))
      throw new NonFiniteLoss(`optimiser step ${state.step + 1}: expected a finite gradient norm, got ${norm}; the weights are unchanged`);
    state.step += 1;
    for (const [name, { data }] of state.weights) {
      const [first, second] = [state.first.get(name) as Tensor, state.second.get(name) as Tensor];
      const gradient = this.sums.get(name) as Float32Array;
      adamw({ parameter: data, gradient, first: first.data, second: second.data }, state.step, optimizer, clipScale(norm, optimizer.maxGradNorm));
    }
    return norm;
  }
}

function addTo(sum: Float32Array, gradient: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (gradient[i] as number);
}

/** Row n of `gradient` belongs to tokens[n]. */
function addRows(table: Float32Array, gradient: Float32Array, tokens: Int32Array): void {
  const width = gradient.length / tokens.length;
  for (let n = 0; n < tokens.length; n++) {
    const [to, from] = [(tokens[n] as number) * width, n * width];
    for (let i = 0; i < width; i++) table[to + i] = (table[to + i] as number) + (gradient[from + i] as number);
  }
}
