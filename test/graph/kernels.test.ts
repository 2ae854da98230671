/** @file ONNX Runtime's kernels, through our model bytes, against the float64 definitions: values and gradients in float32. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSession, type Feed } from '../../activities/policy/ort/session.ts';
import { evaluate } from '../../core/graph/evaluate.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import * as op from '../../core/graph/ops.ts';
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
    narrow.nodes.push({
      ...node,
      attributes,
      inputs: node.inputs.map((input) => input && copy(input)),
      outputs: node.outputs.map((output) => output && copy(output)),
    });
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

  it('GatherND computes what its definition says', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 3, 2]);
    const indices = graph.initializer('indices', 'int64', [2, 2, 2], BigInt64Array.of(1n, 2n, 0n, 1n, 0n, 0n, 1n, 0n));
    graph.output('y', op.gatherND(x, indices));
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    const wanted = [10, 11, 2, 3, 0, 1, 6, 7];
    expect([...(evaluate(graph, new Map([['x', { shape: [2, 3, 2], data: Float64Array.from(data) }]])).get('y')?.data ?? [])]).toEqual(wanted);
    const session = await createSession(modelBytes(graph), { threads: 1 });
    expect([...((await session.run({ x: { data, shape: [2, 3, 2] } }))['y'] as Float32Array)]).toEqual(wanted);
    await session.release();
  });

  it('SkipSimplifiedLayerNormalization computes what its definition says', async () => {
    const graph = new Graph();
    const shape = [2, 3];
    const [x, added, weight] = [graph.input('x', 'float32', shape), graph.input('added', 'float32', shape), graph.input('weight', 'float32', [3])];
    const { sum, normed } = op.skipSimplifiedLayerNormalization(x, added, weight, 1e-5);
    graph.output('sum', sum);
    graph.output('normed', normed);
    const data = { x: [1, -2, 3, 0.5, 0, -1], added: [2, 2, 1, -0.5, 4, 0], weight: [1, 2, -1] };
    const [first, second] = [Math.sqrt((9 + 0 + 16) / 3 + 1e-5), Math.sqrt((0 + 16 + 1) / 3 + 1e-5)];
    const wanted: Record<string, readonly number[]> = { sum: [3, 0, 4, 0, 4, -1], normed: [3 / first, 0, -4 / first, 0, 8 / second, 1 / second] };
    const shapeOf = (name: string) => (name === 'weight' ? [3] : shape);
    const named = <T>(make: (values: readonly number[], shape: readonly number[]) => T) =>
      Object.entries(data).map(([name, values]) => [name, make(values, shapeOf(name))] as const);
    const defined = evaluate(graph, new Map(named((values, dims) => ({ shape: dims, data: Float64Array.from(values) }))));
    const session = await createSession(modelBytes(graph), { threads: 1 });
    const computed = await session.run(Object.fromEntries(named((values, dims): Feed => ({ shape: dims, data: Float32Array.from(values) }))));
    await session.release();
    for (const [name, values] of Object.entries(wanted)) {
      values.forEach((value, i) => {
        expect(defined.get(name)?.data[i]).toBeCloseTo(value, 12);
        expect((computed[name] as Float32Array)[i]).toBeCloseTo(value, 5);
      });
    }
  });
});
