/** @file The graphs that training runs, for rows of one fixed shape [B, T]: weights in, loss, per-token figures and gradients out. */
import { gradientsOf } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { tokenLogprob } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import { type PolicyLossOptions, policyLoss, supervisedLoss } from './losses.ts';
import { decoderLogits, embed, type Parameters, parameterInputs, type RowsShape } from './transformer.ts';

export type TrainingGraphKind =
  /** Outputs `logprobs` and `entropy` only. */
  | { readonly kind: 'forward'; readonly temperature: number }
  | { readonly kind: 'supervised' }
  | { readonly kind: 'policy'; readonly temperature: number; readonly loss: PolicyLossOptions };

/** Name of the output that holds a tensor's gradient. */
export const gradientName = (tensor: string) => `gradient.${tensor}`;

/**
 * Gradient of the embedded tokens [N, D]. The caller adds its rows to the embedding's gradient, in order: in the graph that would be a
 * scatter with duplicate indices, which is either slow or racy on CPU.
 */
export const embeddedGradientName = 'gradient.embedded';

/** Feeds: every tensor by name, `tokens` int64 [B, T], `targets` int64 [N, 1], and per-token float32 [N, 1]. */
export function trainingGraph(config: ModelConfig, kind: TrainingGraphKind, shape: RowsShape): Graph {
  const graph = new Graph();
  const count = shape.rows * shape.length;
  const parameters = parameterInputs(graph, config);
  const embedded = embed(parameters, graph.input('tokens', 'int64', [shape.rows, shape.length]), config, count);
  const logits = decoderLogits(embedded, parameters, config, shape);
  const loss = lossOf(graph, logits, kind, count);
  if (loss) outputGradients(graph, loss, parameters, embedded);
  return graph;
}

function lossOf(graph: Graph, logits: Value, kind: TrainingGraphKind, count: number): Value | null {
  const perToken = (name: string) => graph.input(name, 'float32', [count, 1]);
  const targets = graph.input('targets', 'int64', [count, 1]);
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

function outputGradients(graph: Graph, loss: Value, parameters: Parameters, embedded: Value): void {
  graph.scope = 'backward/';
  const names = [...parameters.keys()];
  const gradients = gradientsOf(loss, [...parameters.values(), embedded]);
  names.forEach((name, i) => {
    const gradient = gradients[i];
    if (gradient) graph.output(gradientName(name), gradient);
  });
  graph.output(embeddedGradientName, gradients[names.length] as Value);
  graph.output('loss', loss);
}
