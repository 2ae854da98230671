/** @file Every gradient rule against central differences in float64, on random shapes; and the list of them against the rule table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradientsOf } from '../../core/graph/autodiff.ts';
import type { Dense } from '../../core/graph/dense.ts';
import { evaluate } from '../../core/graph/evaluate.ts';
import { rules } from '../../core/graph/gradients.ts';
import { Graph } from '../../core/graph/graph.ts';
import * as op from '../../core/graph/ops.ts';
import type { Value } from '../../core/graph/types.ts';
import { caseOf, type Draw, draws, type OperationCase, operationCases } from './operationCases.ts';

const names = Object.keys(operationCases) as (keyof typeof operationCases)[];

/** Σ of every element of every value, each with its own factor, so that no two errors cancel. */
function lossOf({ graph, values }: OperationCase): Value {
  const parts = values.map((value, part) => {
    const size = value.shape.reduce<number>((product, dim) => product * Number(dim), 1);
    const factors = graph.initializer(
      `factors${part}`,
      'float64',
      value.shape,
      Float64Array.from({ length: size }, (_, i) => Math.cos(i + part + 1)),
    );
    return op.sumAll(op.mul(value, factors));
  });
  return parts.reduce((sum, part) => op.add(sum, part));
}

function differentiated(
  name: keyof typeof operationCases,
  draw: Draw,
): { gradients: Dense[]; loss: (feeds: ReadonlyMap<string, Dense>) => number; feeds: ReadonlyMap<string, Dense> } {
  const forward = caseOf(name, draw);
  forward.graph.output('loss', lossOf(forward));
  const both = caseOf(name, draw);
  const found = gradientsOf(lossOf(both), both.wrt);
  for (const [i, gradient] of found.entries()) both.graph.output(`d${i}`, gradient as Value);
  const outputs = evaluate(both.graph, both.feeds);
  return {
    gradients: both.wrt.map((_, i) => outputs.get(`d${i}`) as Dense),
    loss: (feeds) => (evaluate(forward.graph, feeds).get('loss') as Dense).data[0] as number,
    feeds: forward.feeds,
  };
}

/** Fourth-order central difference: its own error stays below 1e-9 where a plain one would be the limit. */
function centralDifference(loss: (x: number) => number, x: number): number {
  const h = 2e-3;
  return (8 * (loss(x + h) - loss(x - h)) - (loss(x + 2 * h) - loss(x - 2 * h))) / (12 * h);
}

/** Largest error over all elements, relative to the largest gradient (at least 1: sums of order-one terms). */
function gradientError(name: keyof typeof operationCases, draw: Draw): number {
  const { gradients, loss, feeds } = differentiated(name, draw);
  let [error, scale] = [0, 1];
  [...feeds].forEach(([input, { shape, data }], i) => {
    for (let k = 0; k < data.length; k++) {
      const lossAt = (value: number) => loss(new Map(feeds).set(input, { shape, data: data.with(k, value) }));
      const wanted = centralDifference(lossAt, data[k] as number);
      const actual = (gradients[i] as Dense).data[k] as number;
      error = Math.max(error, Math.abs(actual - wanted));
      scale = Math.max(scale, Math.abs(wanted));
    }
  });
  return error / scale;
}

/** Operations with a kink: a draw whose operands come closer than the difference quotient reaches says nothing. */
const kinks: Partial<Record<string, (feeds: ReadonlyMap<string, Dense>) => boolean>> = {
  Clip: (feeds) => [...(feeds.get('x0') as Dense).data].some((x) => Math.min(Math.abs(x + 0.501), Math.abs(x - 0.703)) < 0.01),
  Max: closeOperands,
  Min: closeOperands,
};

function closeOperands(feeds: ReadonlyMap<string, Dense>): boolean {
  const [a, b] = [...feeds.values()] as [Dense, Dense];
  return [...a.data].some((x) => [...b.data].some((y) => Math.abs(x - y) < 0.01));
}

describe('gradient rules', () => {
  it('are all tested here, except those that say why they have none', () => {
    const differentiable = Object.entries(rules).flatMap(([name, rule]) => (typeof rule === 'function' ? [name] : []));
    expect([...names].sort()).toEqual(differentiable.sort());
  });

  it.each(names)('%s agrees with central differences to 1e-6', (name) => {
    fc.assert(
      fc.property(draws, (draw) => {
        fc.pre(!kinks[name]?.(caseOf(name, draw).feeds));
        expect(gradientError(name, draw)).toBeLessThanOrEqual(1e-6);
      }),
      { numRuns: 20, seed: 20_260_101 },
    );
  });

  it('refuses to go through an operation without a rule, naming it and the reason', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float64', [2, 3]);
    expect(() => gradientsOf(op.sumAll(op.reduceMax(x, [1])), [x])).toThrow(/ReduceMax has no gradient: used for its value only/);
  });

  it('sums over every use of a value and gives null where nothing depends on it', () => {
    const graph = new Graph();
    const [x, unused] = [graph.input('x', 'float64', []), graph.input('unused', 'float64', [])];
    const [dx, none] = gradientsOf(op.add(op.mul(x, x), op.mul(x, 3)), [x, unused]);
    graph.output('dx', dx as Value);
    const feeds = new Map([
      ['x', { shape: [], data: Float64Array.of(5) }],
      ['unused', { shape: [], data: Float64Array.of(0) }],
    ]);
    expect(evaluate(graph, feeds).get('dx')?.data[0]).toBe(13);
    expect(none).toBeNull();
  });

  it('stops where the graph was built unrecorded', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float64', []);
    const frozen = graph.unrecorded(() => op.exp(x));
    const [dx] = gradientsOf(op.mul(frozen, x), [x]);
    expect(dx).toBe(frozen.graph.nodes.at(-1)?.outputs[0]);
    graph.output('dx', dx as Value);
    expect(evaluate(graph, new Map([['x', { shape: [], data: Float64Array.of(1) }]])).get('dx')?.data[0]).toBeCloseTo(Math.E, 12);
  });
});
