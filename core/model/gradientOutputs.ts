/** @file How gradients leave a graph: each trained tensor's, added to what earlier micro-batches gave. */
import { accumulate } from '../graph/accumulate.ts';
import type { Graph } from '../graph/graph.ts';
import type { Value } from '../graph/types.ts';
import type { Parameters } from './transformer.ts';

/** Name of the output that holds a tensor's gradient, added to the input of `sumName`. */
export const gradientName = (tensor: string) => `gradient.${tensor}`;
/** Name of the input with the gradient of earlier micro-batches. */
export const sumName = (tensor: string) => `sum.${tensor}`;

/** `gradients` in the order of `trained`; null where the loss does not depend on a tensor. */
export function outputSums(graph: Graph, trained: Parameters, gradients: readonly (Value | null)[]): void {
  [...trained.keys()].forEach((name, i) => {
    const gradient = gradients[i];
    if (gradient) graph.output(gradientName(name), accumulate(graph.input(sumName(name), 'float32', gradient.shape), gradient));
  });
}
