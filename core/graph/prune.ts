/** @file Nodes that no output needs: ONNX Runtime would compute them all the same. */
import type { Graph } from './graph.ts';
import type { Node, Value } from './types.ts';

/** Leaves what the graph's outputs depend on. */
export function prune(graph: Graph): void {
  const needed = new Set<Value | null>(graph.outputs);
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    kept.unshift(node);
  }
  graph.nodes.splice(0, graph.nodes.length, ...kept);
}
