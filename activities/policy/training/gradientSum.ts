/** @file The gradient of one optimiser step: micro-batches add theirs to it in their order, then norm, clipping and AdamW. */
import { adamw, clipScale, sumOfSquares } from '../../../core/model/adamw.ts';
import type { OptimizerStep, Tensor } from '../../../core/model/config.ts';
import { embeddingName } from '../../../core/model/tensorNames.ts';
import type { Feed } from '../ort/session.ts';
import { NonFiniteLoss } from './errors.ts';
import { free } from './free.ts';

export interface ModelState {
  readonly weights: Map<string, Tensor>;
  readonly first: Map<string, Tensor>;
  readonly second: Map<string, Tensor>;
  step: number;
}

export class GradientSum {
  /** By tensor name. */
  get sums(): ReadonlyMap<string, Float32Array> {
    return this.#sums;
  }
  readonly #sums = new Map<string, Float32Array>();

  #zeros = new Float32Array(0);

  /** What a graph adds a tensor's gradient to: nothing, before the first of them. */
  feed(name: string, { data: { length }, shape }: Tensor): Feed {
    const sum = this.#sums.get(name);
    if (sum === undefined && this.#zeros.length < length) this.#zeros = new Float32Array(length);
    return { data: sum ?? this.#zeros.subarray(0, length), shape };
  }

  /** Takes what a graph made of it, and gives back what was fed. */
  set(name: string, sum: Float32Array): void {
    const before = this.#sums.get(name);
    if (before) free(before);
    this.#sums.set(name, sum);
  }

  /** Row n of the gradient of the embedded tokens belongs to tokens[n]. */
  addEmbedded(gradient: Float32Array, tokens: Int32Array, { data }: Tensor): void {
    const table = this.#sums.get(embeddingName) ?? new Float32Array(data.length);
    this.#sums.set(embeddingName, table);
    addRows(table, gradient, tokens);
  }

  /** Changes weights and moments; answers with the norm before clipping. @throws NonFiniteLoss before any change. */
  apply(state: ModelState, optimizer: OptimizerStep): number {
    const gradientOf = (name: string, { data }: Tensor) => this.#sums.get(name) ?? new Float32Array(data.length);
    let squares = 0;
    for (const [name, tensor] of state.weights) squares += sumOfSquares(gradientOf(name, tensor));
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm))
      throw new NonFiniteLoss(`optimiser step ${state.step + 1}: expected a finite gradient norm, got ${norm}; the weights are unchanged`);
    state.step += 1;
    for (const [name, tensor] of state.weights) {
      const [first, second] = [state.first.get(name) as Tensor, state.second.get(name) as Tensor];
      adamw(
        { parameter: tensor.data, gradient: gradientOf(name, tensor), first: first.data, second: second.data },
        state.step,
        optimizer,
        clipScale(norm, optimizer.maxGradNorm),
      );
    }
    return norm;
  }
}

function addRows(table: Float32Array, gradient: Float32Array, tokens: Int32Array): void {
  const width = gradient.length / tokens.length;
  for (let n = 0; n < tokens.length; n++) {
    const [to, from] = [(tokens[n] as number) * width, n * width];
    for (let i = 0; i < width; i++) table[to + i] = (table[to + i] as number) + (gradient[from + i] as number);
  }
}
