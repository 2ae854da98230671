/** @file Sums of gradients over micro-batches: a matrix product adds to a sum while it writes its result, which saves a pass over memory. */
import { add } from './ops.ts';
import type { Value } from './types.ts';

/** sum + gradient. The gradient itself is not to be read afterwards: it may be the sum by then. */
export function accumulate(sum: Value, gradient: Value): Value {
  const { nodes } = gradient.graph;
  const made = nodes.findIndex(({ outputs }) => outputs.includes(gradient));
  const node = nodes[made];
  const isReadElsewhere = nodes.some(({ inputs }) => inputs.includes(gradient));
  if (node?.operation !== 'Gemm' || node.inputs.length > 2 || isReadElsewhere) return add(sum, gradient);
  nodes[made] = { ...node, inputs: [...node.inputs, sum] };
  return gradient;
}
