/**
 * @file The training graph in pieces: embedding, one layer forward, one layer backward, head with loss. A layer's backward piece computes its
 * forward pass again from the layer's input, so that between the pieces only those inputs have to be kept. In one graph that cannot be had: ONNX
 * Runtime merges what is computed twice, and runs it when it likes.
 * The tensors of a layer are inputs under the names of layer 0, frozen ones too: one session serves all layers.
 */
import { gradientsOf, gradientsThrough } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { prune } from '../graph/prune.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { gradientName, outputSums } from './gradientOutputs.ts';
import type { FrozenBase } from './lora.ts';
import { graphParameters, layerParameters } from './parameters.ts';
import { type LayoutKind, layoutInputs, symbolicSizes } from './rowLayout.ts';
import { embeddingName, finalNormName, headName } from './tensorNames.ts';
import { lossOf, type TrainingGraphKind } from './trainingGraph.ts';
import { decoderLayer, embed, logitsOf, type Parameters } from './transformer.ts';

/** What goes into a layer or the head [N, D], and what comes out of an embedding or a layer. */
export const hiddenName = 'hidden';
export const outputName = 'output';

export interface LayerKind extends LayoutKind {
  /** Any layer that has the same targets of an adapter. */
  readonly layer: number;
  /** Its output has the trained tokens only. */
  readonly isLast: boolean;
}

/** Feeds: `tokens` int32 [N], and the embedding where it is trained. */
export function embeddingGraph(config: ModelConfig, base: FrozenBase | null): Graph {
  const graph = new Graph();
  const { parameters } = graphParameters(graph, config, base, (name) => name === embeddingName);
  const { tokenCount } = symbolicSizes;
  graph.output(outputName, embed(parameters, graph.input('tokens', 'int32', [tokenCount]), config, tokenCount));
  return graph;
}

/** Feeds: `hidden`, the layer's tensors, the layout. */
export function layerGraph(config: ModelConfig, base: FrozenBase | null, kind: LayerKind): Graph {
  const graph = new Graph();
  graph.output(outputName, layerIn(graph, config, base, kind).output);
  return graph;
}

/** Feeds: those of the layer's graph, the gradient of its output, and the gradients so far. `wantsHidden`: something below is trained as well. */
export function layerBackwardGraph(config: ModelConfig, base: FrozenBase | null, kind: LayerKind, wantsHidden: boolean): Graph {
  const graph = new Graph();
  const { hidden, output, trained } = layerIn(graph, config, base, kind);
  const gradient = graph.input(gradientName(outputName), 'float32', output.shape);
  graph.scope = 'backward/';
  const [ofHidden, ...ofTrained] = gradientsThrough(output, gradient, [hidden, ...trained.values()]);
  if (wantsHidden) graph.output(gradientName(hiddenName), ofHidden as Value);
  outputSums(graph, trained, ofTrained);
  prune(graph);
  return graph;
}

function layerIn(graph: Graph, config: ModelConfig, base: FrozenBase | null, kind: LayerKind): { hidden: Value; output: Value; trained: Parameters } {
  const hidden = graph.input(hiddenName, 'float32', [symbolicSizes.tokenCount, config.hiddenSize]);
  const layout = layoutInputs(graph, config, kind.attentionBlocks, kind.shared);
  const { parameters, trained } = layerParameters(graph, config, base, kind.layer);
  return { hidden, output: decoderLayer(hidden, parameters, 0, config, layout, kind.isLast), trained };
}

/** Feeds: `hidden` [R, D] of trained tokens, final norm and head where they are trained, and what the loss needs of each token. */
export function headGraph(config: ModelConfig, base: FrozenBase | null, kind: TrainingGraphKind): Graph {
  const graph = new Graph();
  const hidden = graph.input(hiddenName, 'float32', [symbolicSizes.trainedCount, config.hiddenSize]);
  const { parameters, trained } = graphParameters(graph, config, base, (name) => name === finalNormName || name === headName(config));
  const loss = lossOf(graph, logitsOf(hidden, parameters, config), kind);
  if (!loss) return graph;
  graph.scope = 'backward/';
  const [ofHidden, ...ofTrained] = gradientsOf(loss, [hidden, ...trained.values()]);
  graph.output(gradientName(hiddenName), ofHidden as Value);
  outputSums(graph, trained, ofTrained);
  graph.output('loss', loss);
  return graph;
}
