/** @file The graphs that training runs, for rows of any number and length: weights in, loss, figures of the trained tokens and gradients out. */
import { gradientsOf } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { tokenLogprob } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { outputSums } from './gradientOutputs.ts';
import type { FrozenBase } from './lora.ts';
import { type PolicyLossOptions, policyLoss, supervisedLoss } from './losses.ts';
import { graphParameters } from './parameters.ts';
import { type LayoutKind, layoutInputs, symbolicSizes } from './rowLayout.ts';
import { decoderLogits, embed, type Parameters } from './transformer.ts';

export type TrainingGraphKind =
  /** Outputs `logprobs` and `entropy` only. */
  | { readonly kind: 'forward'; readonly temperature: number }
  | { readonly kind: 'supervised' }
  | { readonly kind: 'policy'; readonly temperature: number; readonly loss: PolicyLossOptions };

/**
 * Gradient of the embedded tokens [N, D]. The caller adds its rows to the embedding's gradient, in order: in the graph that would be a
 * scatter with duplicate indices, which is either slow or racy on CPU.
 */
export const embeddedGradientName = 'gradient.embedded';

/**
 * Feeds: every trained tensor and its gradient so far, the layout, `tokens` int32 [N], and per trained token [R, 1] `targets` int32 and figures
 * float32.
 */
export function trainingGraph(config: ModelConfig, kind: TrainingGraphKind, { attentionBlocks, shared }: LayoutKind, base: FrozenBase | null = null): Graph {
  const graph = new Graph();
  const layout = layoutInputs(graph, config, attentionBlocks, shared);
  const { parameters, trained } = graphParameters(graph, config, base);
  const embedded = embed(parameters, graph.input('tokens', 'int32', [layout.tokenCount]), config, layout.tokenCount);
  const loss = lossOf(graph, decoderLogits(embedded, parameters, config, layout), kind);
  if (loss) outputGradients(graph, loss, trained, base === null ? embedded : null);
  return graph;
}

/** Of logits [R, V]; null where log-probabilities are all that is asked for. Their inputs and outputs are made on the way. */
export function lossOf(graph: Graph, logits: Value, kind: TrainingGraphKind): Value | null {
  const perToken = (name: string) => graph.input(name, 'float32', [symbolicSizes.trainedCount, 1]);
  const targets = graph.input('targets', 'int32', [symbolicSizes.trainedCount, 1]);
  if (kind.kind === 'supervised') {
    const { loss, logprobs } = supervisedLoss(logits, targets, perToken('weights'));
    graph.output('logprobs', logprobs);
    return loss;
  }
  const cooled = kind.temperature === 1 ? logits : op.mul(logits, 1 / kind.temperature);
  const { logprob, entropy } = tokenLogprob(cooled, targets);
  graph.output('logprobs', logprob);
  graph.output('entropy', entropy);
  if (kind.kind === 'forward') return null;
  const inputs = {
    weights: perToken('weights'),
    advantages: perToken('advantages'),
    behaviorLogprobs: perToken('behaviorLogprobs'),
    referenceLogprobs: kind.loss.klCoefficient === 0 ? undefined : perToken('referenceLogprobs'),
  };
  return policyLoss(logprob, entropy, inputs, kind.loss);
}

/** `embedded` is null where the embedding is frozen. */
function outputGradients(graph: Graph, loss: Value, trained: Parameters, embedded: Value | null): void {
  graph.scope = 'backward/';
  const gradients = gradientsOf(loss, [...trained.values(), ...(embedded === null ? [] : [embedded])]);
  outputSums(graph, trained, gradients);
  if (embedded !== null && gradients[trained.size]) graph.output(embeddedGradientName, gradients[trained.size] as Value);
  graph.output('loss', loss);
}
