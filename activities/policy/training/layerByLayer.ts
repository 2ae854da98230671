/**
 * @file Micro-batches layer by layer: forward keeps the input of each layer, backward computes the layer again from it. Between the sessions
 * only [N, D] and the gradients of weights are copied. The head sees a bounded number of trained tokens at a time.
 */

import type { Graph } from '../../../core/graph/graph.ts';
import { headTokens } from '../../../core/model/activations.ts';
import type { ModelConfig, Tensor } from '../../../core/model/config.ts';
import { gradientName, sumName } from '../../../core/model/gradientOutputs.ts';
import { embeddingGraph, headGraph, hiddenName, type LayerKind, layerBackwardGraph, layerGraph, outputName } from '../../../core/model/layerGraphs.ts';
import { type FrozenBase, trainedShapes } from '../../../core/model/lora.ts';
import { ofLayer } from '../../../core/model/parameters.ts';
import { embeddingName, inLayer, layerOf } from '../../../core/model/tensorNames.ts';
import type { Feed, Session } from '../ort/session.ts';
import { free } from './free.ts';
import { FrozenLayer } from './frozenLayer.ts';
import { headInPieces } from './headInPieces.ts';
import { layoutKindOf } from './microBatches.ts';
import type { SessionCache } from './sessionCache.ts';
import type { Pass, PassOutputs, TrainingSessions } from './sessions.ts';

type Feeds = Readonly<Record<string, Feed>>;

/** By a session between two runs: it has no arena, and its weights are inputs. */
const heldBytes = 0;

export class LayerSessions implements TrainingSessions {
  readonly config: ModelConfig;
  readonly base: FrozenBase | null;
  readonly recomputesActivations = true;
  readonly #cache: SessionCache;
  readonly #headTokens: number;
  readonly #frozen: FrozenLayer | null;
  /** Names of the trained tensors of each layer. */
  readonly #trained: readonly (readonly string[])[];
  /** Below it, nothing is trained. */
  readonly #lowest: number;

  constructor(config: ModelConfig, base: FrozenBase | null, cache: SessionCache, mostHeadTokens = headTokens(config)) {
    this.config = config;
    this.base = base;
    this.#cache = cache;
    this.#headTokens = mostHeadTokens;
    this.#frozen = base === null ? null : new FrozenLayer(config, base);
    const shapes = trainedShapes(config, base);
    this.#trained = Array.from({ length: config.layerCount }, (_, layer) => [...ofLayer(shapes, layer).keys()]);
    this.#lowest = Math.min(...[...shapes.keys()].map((name) => layerOf(name) ?? Number.POSITIVE_INFINITY));
  }

  async run(pass: Pass): Promise<PassOutputs> {
    const { layerCount } = this.config;
    const learns = pass.kind.kind !== 'forward';
    /** Of each layer from the lowest trained one on. */
    const inputs: Float32Array[] = [];
    let hidden = await this.#embedded(pass);
    for (let layer = 0; layer < layerCount; layer++) {
      pass.check();
      const output = await this.#forward(pass, layer, hidden);
      if (learns && layer >= this.#lowest) inputs.push(hidden);
      else free(hidden);
      hidden = output;
    }
    const outputs = await this.#head(pass, hidden);
    free(hidden);
    if (learns) await this.#backward(pass, inputs, outputs[gradientName(hiddenName)] as Float32Array);
    return outputs;
  }

  async release(): Promise<void> {
    this.#frozen?.close();
    await this.#cache.release();
  }

  /** [N, D] */
  async #embedded({ feeds, weights }: Pass): Promise<Float32Array> {
    const session = await this.#cache.get('embedding', heldBytes, () => embeddingGraph(this.config, this.base));
    const outputs = await session.run(askedOf(session, { ...feeds, ...Object.fromEntries(weights) }));
    return outputs[outputName] as Float32Array;
  }

  async #forward(pass: Pass, layer: number, hidden: Float32Array): Promise<Float32Array> {
    const kind = this.#kindOf(pass, layer);
    const session = await this.#layerSession('forward', kind, () => layerGraph(this.config, this.base, kind));
    const outputs = await session.run(askedOf(session, { ...pass.feeds, ...this.#layerFeeds(pass, layer, hidden) }));
    return outputs[outputName] as Float32Array;
  }

  /** From the gradient of the last layer's output down to the lowest tensor that is trained. */
  async #backward(pass: Pass, inputs: Float32Array[], gradientAbove: Float32Array): Promise<void> {
    const { feeds, weights, gradient, check } = pass;
    let ofOutput = gradientAbove;
    for (let layer = this.config.layerCount - 1; layer >= this.#lowest; layer--) {
      check();
      const input = inputs.pop() as Float32Array;
      const ofInput = await this.#layerBackward(pass, layer, input, ofOutput);
      free(input);
      free(ofOutput);
      ofOutput = ofInput;
    }
    const table = weights.get(embeddingName);
    if (table) gradient.addEmbedded(ofOutput, feeds['tokens']?.data as Int32Array, table);
  }

  /** The gradient of the layer's input; none below the lowest trained tensor. */
  async #layerBackward(pass: Pass, layer: number, hidden: Float32Array, ofOutput: Float32Array): Promise<Float32Array> {
    const kind = this.#kindOf(pass, layer);
    const wantsHidden = this.base === null || layer > this.#lowest;
    const graph = () => layerBackwardGraph(this.config, this.base, kind, wantsHidden);
    const session = await this.#layerSession(`backward ${wantsHidden}`, kind, graph);
    const trained = this.#trained[layer] as readonly string[];
    const sums = trained.map((name) => [sumName(inLayer(name, 0)), pass.gradient.feed(name, pass.weights.get(name) as Tensor)] as const);
    const above = { [gradientName(outputName)]: this.#rows(ofOutput), ...Object.fromEntries(sums) };
    const feeds = askedOf(session, { ...pass.feeds, ...this.#layerFeeds(pass, layer, hidden), ...above });
    const outputs = await session.run(feeds);
    for (const name of trained) pass.gradient.set(name, outputs[gradientName(inLayer(name, 0))] as Float32Array);
    return outputs[gradientName(hiddenName)] as Float32Array;
  }

  async #head(pass: Pass, data: Float32Array): Promise<PassOutputs> {
    const { config, base } = this;
    const hidden = { data, width: config.hiddenSize };
    const session = await this.#cache.get(JSON.stringify(pass.kind), heldBytes, () => headGraph(config, base, pass.kind));
    return headInPieces(session, pass, hidden, this.#headTokens);
  }

  #kindOf({ batch }: Pass, layer: number): LayerKind {
    return { ...layoutKindOf(batch), layer, isLast: layer === this.config.layerCount - 1 };
  }

  /** Layers whose trained tensors have the same names have the same graph. */
  #layerSession(direction: string, { layer, ...kind }: LayerKind, graph: () => Graph): Promise<Session> {
    const trained = (this.#trained[layer] as readonly string[]).map((name) => inLayer(name, 0));
    return this.#cache.get(JSON.stringify([direction, kind, this.base === null ? null : trained]), heldBytes, graph);
  }

  /** The layer's tensors and its input. */
  #layerFeeds({ weights }: Pass, layer: number, hidden: Float32Array): Feeds {
    const frozen = this.#frozen?.read(layer) ?? [];
    const trained = (this.#trained[layer] as readonly string[]).map((name) => [inLayer(name, 0), weights.get(name) as Tensor] as const);
    return { ...Object.fromEntries([...frozen, ...trained]), [hiddenName]: this.#rows(hidden) };
  }

  #rows(data: Float32Array): Feed {
    const { hiddenSize } = this.config;
    return { data, shape: [data.length / hiddenSize, hiddenSize] };
  }
}

/** What a session asks for. */
function askedOf({ inputNames }: Session, feeds: Feeds): Feeds {
  return Object.fromEntries(inputNames.flatMap((name) => (feeds[name] ? [[name, feeds[name]]] : [])));
}
