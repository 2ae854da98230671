/** @file Micro-batches through one graph each: forward, loss and backward in one run, with the activations of all layers held between. */
import { activationBytes } from '../../../core/model/activations.ts';
import type { ModelConfig } from '../../../core/model/config.ts';
import { gradientName, sumName } from '../../../core/model/gradientOutputs.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import { embeddingName } from '../../../core/model/tensorNames.ts';
import { embeddedGradientName, trainingGraph } from '../../../core/model/trainingGraph.ts';
import type { Feed } from '../ort/session.ts';
import { attendedOf, cellsOf, layoutKindOf } from './microBatches.ts';
import type { SessionCache } from './sessionCache.ts';
import type { Pass, PassOutputs, TrainingSessions } from './sessions.ts';

export class WholeGraphSessions implements TrainingSessions {
  readonly config: ModelConfig;
  readonly base: FrozenBase | null;
  readonly recomputesActivations = false;
  readonly #cache: SessionCache;

  constructor(config: ModelConfig, base: FrozenBase | null, cache: SessionCache) {
    this.config = config;
    this.base = base;
    this.#cache = cache;
  }

  /** The outputs have the gradients as well. */
  async run({ kind, batch, feeds: given, weights, gradient }: Pass): Promise<PassOutputs> {
    const { config, base } = this;
    const layout = layoutKindOf(batch);
    const bytes = activationBytes(config, cellsOf(batch), attendedOf(batch));
    const session = await this.#cache.get(JSON.stringify([kind, layout]), bytes, () => trainingGraph(config, kind, layout, base));
    const asked = new Set(session.inputNames);
    const feeds: Record<string, Feed> = { ...given };
    for (const [name, tensor] of weights) {
      feeds[name] = tensor;
      if (asked.has(sumName(name))) feeds[sumName(name)] = gradient.feed(name, tensor);
    }
    const outputs = await session.run(feeds);
    for (const name of weights.keys()) {
      const sum = outputs[gradientName(name)];
      if (sum) gradient.set(name, sum as Float32Array);
    }
    const embedded = outputs[embeddedGradientName] as Float32Array | undefined;
    const table = weights.get(embeddingName);
    if (embedded && table) gradient.addEmbedded(embedded, feeds['tokens']?.data as Int32Array, table);
    return outputs;
  }

  release(): Promise<void> {
    return this.#cache.release();
  }
}
