/**
 * @file The graph computed in plain float64, one simple loop per operation: what gradient rules and ONNX Runtime's kernels are
 * tested against. Slow on purpose; integers and truth values are numbers here.
 */

import { type Dense, dense } from './dense.ts';
import type { Graph } from './graph.ts';
import { type Kernel, kernels } from './kernels.ts';
import type { Node, Value } from './types.ts';

/** Values of the outputs by name, given the inputs by name. Every size must be known. */
export function evaluate(graph: Graph, feeds: ReadonlyMap<string, Dense>): ReadonlyMap<string, Dense> {
  const known = new Map<Value, Dense>();
  for (const { value, data } of graph.initializers) {
    if ('location' in data) throw new Error(`evaluate: expected the values of initializer ${value.name}, got the file ${data.location}`);
    known.set(value, dense(value.shape.map(Number), Float64Array.from(data as ArrayLike<number | bigint>, Number)));
  }
  for (const input of graph.inputs) {
    const fed = feeds.get(input.name);
    if (!fed) throw new Error(`evaluate: expected a value for input ${input.name}, got ${[...feeds.keys()].join(', ')}`);
    known.set(input, fed);
  }
  for (const node of graph.nodes) evaluateNode(node, known);
  return new Map(graph.outputs.map((output) => [output.name, known.get(output) as Dense]));
}

function evaluateNode(node: Node, known: Map<Value, Dense>): void {
  const kernel = kernels[node.operation] as Kernel<never>;
  const inputs = node.inputs.map((input) => (input ? (known.get(input) as Dense) : null));
  const outputs = node.outputs.filter((output) => output !== null);
  const shapes = outputs.map((output) => output.shape.map(Number));
  const results = kernel(inputs as Dense[], node.attributes as never, shapes);
  outputs.forEach((output, i) => {
    known.set(output, results[i] as Dense);
  });
}
