/** @file The gradient of one optimiser step: micro-batches add theirs to it in their order, then norm, clipping and AdamW. */
import { adamw, clipScale, sumOfSquares } from '../../../core/model/adamw.ts';
import type { OptimizerStep, Tensor } from '../../../core/model/config.ts';
import { embeddingName } from '../../../core/model/tensorNames.ts';
import { embeddedGradientName, gradientName, sumName } from '../../../core/model/trainingGraph.ts';
import type { Feed, FeedArray } from '../ort/session.ts';
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

  /** What the graphs add their gradients to, as far as they ask for it: nothing, before the first of them. */
  feeds(weights: ReadonlyMap<string, Tensor>, inputNames: readonly string[]): Record<string, Feed> {
    const asked = new Set(inputNames);
    const wanted = [...weights].filter(([name]) => asked.has(sumName(name)));
    const zeros = new Float32Array(wanted.reduce((most, [name, { data }]) => (this.sums.has(name) ? most : Math.max(most, data.length)), 0));
    return Object.fromEntries(wanted.map(([name, { data, shape }]) => [sumName(name), { data: this.sums.get(name) ?? zeros.subarray(0, data.length), shape }]));
  }

  /** Takes the outputs over. `tokens` are those that were embedded, in the order of the rows of `gradient.embedded`. */
  take(state: ModelState, outputs: Readonly<Record<string, FeedArray>>, tokens: Int32Array): void {
    for (const [name, { data }] of state.weights) {
      const sum = outputs[gradientName(name)] as Float32Array | undefined;
      if (sum) this.sums.set(name, sum);
      else if (!this.sums.has(name)) this.sums.set(name, new Float32Array(data.length));
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

/** Row n of `gradient` belongs to tokens[n]. */
function addRows(table: Float32Array, gradient: Float32Array, tokens: Int32Array): void {
  const width = gradient.length / tokens.length;
  for (let n = 0; n < tokens.length; n++) {
    const [to, from] = [(tokens[n] as number) * width, n * width];
    for (let i = 0; i < width; i++) table[to + i] = (table[to + i] as number) + (gradient[from + i] as number);
  }
}
