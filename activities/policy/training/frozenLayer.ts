/** @file The tensors of one layer below an adapter, read from the base's file into the same arrays for every layer: one layer is in memory at a time. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig, Tensor } from '../../../core/model/config.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import { ofLayer } from '../../../core/model/parameters.ts';
import { inLayer, tensorShapes } from '../../../core/model/tensorNames.ts';

export class FrozenLayer {
  readonly #base: FrozenBase;
  /** Of layer 0, and so of every layer. */
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #files = new Map<string, number>();
  #held: number | null = null;

  constructor(config: ModelConfig, base: FrozenBase) {
    this.#base = base;
    const sizeOf = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);
    const shapes = ofLayer(tensorShapes(config), 0);
    this.#tensors = new Map(Array.from(shapes, ([name, shape]) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]));
  }

  /** By the names of layer 0; valid until the next call. */
  read(layer: number): ReadonlyMap<string, Tensor> {
    if (this.#held === layer) return this.#tensors;
    this.#held = null;
    for (const [name, { data }] of this.#tensors) this.#fill(data, inLayer(name, layer));
    this.#held = layer;
    return this.#tensors;
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #fill(data: Float32Array, name: string): void {
    const stored = this.#base.tensors.get(name);
    if (stored === undefined) throw new Error(`frozen weights: expected a tensor ${name}, found none`);
    const file = this.#files.get(stored.location) ?? openSync(join(this.#base.folder, stored.location), 'r');
    this.#files.set(stored.location, file);
    const bytes = new Uint8Array(data.buffer);
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(file, bytes, done, bytes.length - done, stored.offset + done);
      if (count === 0) throw new Error(`${join(this.#base.folder, stored.location)}: expected ${bytes.length} bytes of ${name}, the file ends after ${done}`);
      done += count;
    }
  }
}
