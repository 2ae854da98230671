/** @file The graphs that training runs, for rows of any number and length: weights in, loss, figures of the trained tokens and gradients out. */
import { accumulate } from '../graph/accumulate.ts';
import { gradientsOf } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { tokenLogprob } from '../graph/macros.ts';
import * as op from '../graph/ops.ts';
import type { Value } from '../graph/types.ts';
import type { ModelConfig } from './config.ts';
import type { FrozenBase } from './lora.ts';
import { type PolicyLossOptions, policyLoss, supervisedLoss } from './losses.ts';
import { graphParameters } from './parameters.ts';
import { layoutInputs, symbolicSizes } from './rowLayout.ts';
import { decoderLogits, embed, type Parameters } from './transformer.ts';

export type TrainingGraphKind =
  /** Outputs `logprobs` and `entropy` only. */
  | { readonly kind: 'forward'; readonly temperature: number }
  | { readonly kind: 'supervised' }
  | { readonly kind: 'policy'; readonly temperature: number; readonly loss: PolicyLossOptions };

/** Name of the output that holds a tensor's gradient, added to the input of `sumName`. */
export const gradientName = (tensor: string) => `gradient.${tensor}`;
/** Name of the input with the gradient of earlier micro-batches. */
export const sumName = (tensor: string) => `sum.${tensor}`;

/**
 * Gradient of the embedded tokens [N, D]. The caller adds its rows to the embedding's gradient, in order: in the graph that would be a
 * scatter with duplicate indices, which is either slow or racy on CPU.
 */
export const embeddedGradientName = 'gradient.embedded';

/** What tells arrangements apart that need graphs of their own. */
export interface LayoutKind {
  readonly attentionBlocks: number;
  /** Siblings behind prefixes that they share. */
  readonly shared: boolean;
}

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

function lossOf(graph: Graph, logits: Value, kind: TrainingGraphKind): Value | null {
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
  const named = [...trained, ...(embedded === null ? [] : [[null, embedded] as const])];
  const gradients = gradientsOf(
    loss,
    named.map(([, value]) => value),
  );
  named.forEach(([name], i) => {
    const gradient = gradients[i];
    if (!gradient) return;
    if (name === null) graph.output(embeddedGradientName, gradient);
    else graph.output(gradientName(name), accumulate(graph.input(sumName(name), 'float32', gradient.shape), gradient));
  });
  graph.output('loss', loss);
}
