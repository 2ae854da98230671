/** @file ONNX Runtime's kernels, through our model bytes, against the float64 definitions: values and gradients in float32. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSession, type Feed } from '../../activities/policy/ort/session.ts';
import { evaluate } from '../../core/graph/evaluate.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import type { Initializer, Value } from '../../core/graph/types.ts';
import { caseOf, draws, operationCases } from './operationCases.ts';

const names = Object.keys(operationCases) as (keyof typeof operationCases)[];

/** The same graph with float32 in place of float64. */
function narrowed(graph: Graph): Graph {
  const copies = new Map<Value, Value>();
  const narrow = new Graph();
  const copy = (value: Value): Value => {
    const known = copies.get(value) ?? { ...value, graph: narrow, dtype: value.dtype === 'float64' ? 'float32' : value.dtype };
    copies.set(value, known);
    return known;
  };
  narrow.inputs.push(...graph.inputs.map(copy));
  for (const { value, data } of graph.initializers)
    narrow.initializers.push({ value: copy(value), data: data instanceof Float64Array ? Float32Array.from(data) : data } as Initializer);
  for (const node of graph.nodes) {
    const attributes = node.operation === 'Cast' ? { to: 1 } : node.attributes;
    narrow.nodes.push({ ...node, attributes, inputs: node.inputs.map((input) => input && copy(input)), outputs: node.outputs.map(copy) });
  }
  narrow.outputs.push(...graph.outputs.map(copy));
  return narrow;
}

describe('kernels of ONNX Runtime', () => {
  it.each(names)('%s computes what its definition says', async (name) => {
    await fc.assert(
      fc.asyncProperty(draws, async (draw) => {
        const { graph, values, feeds } = caseOf(name, draw);
        for (const [i, value] of values.entries()) graph.output(`y${i}`, value);
        const wanted = evaluate(graph, feeds);
        const session = await createSession(modelBytes(narrowed(graph)), { threads: 1 });
        const narrowFeeds: Record<string, Feed> = {};
        for (const [input, { data, shape }] of feeds) narrowFeeds[input] = { data: Float32Array.from(data), shape };
        const outputs = await session.run(narrowFeeds);
        await session.release();
        for (const [output, { data }] of wanted) {
          const actual = outputs[output] as Float32Array;
          expect(actual.length).toBe(data.length);
          for (const [i, value] of data.entries()) expect(Math.abs((actual[i] as number) - value)).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(value)));
        }
      }),
      { numRuns: 8, seed: 20_260_102 },
    );
  });
});
