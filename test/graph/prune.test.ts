/** @file Pruning leaves what the outputs need, in its order, and changes no value. */
import { expect, test } from 'vitest';
import { evaluate } from '../../core/graph/evaluate.ts';
import { Graph } from '../../core/graph/graph.ts';
import * as op from '../../core/graph/ops.ts';
import { prune } from '../../core/graph/prune.ts';

test('what no output needs goes, and what only that needed', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float64', [2]);
  const used = op.mul(x, x);
  op.exp(op.neg(used));
  graph.output('y', op.add(used, x));
  const feeds = new Map([['x', { shape: [2], data: Float64Array.of(3, -2) }]]);
  expect([...(evaluate(graph, feeds).get('y')?.data ?? [])]).toEqual([12, 2]);
  prune(graph);
  expect(graph.nodes.map(({ operation }) => operation)).toEqual(['Mul', 'Add']);
  expect([...(evaluate(graph, feeds).get('y')?.data ?? [])]).toEqual([12, 2]);
});

test('a node stays for one of its outputs', () => {
  const graph = new Graph();
  const [, second] = op.split(graph.input('x', 'float64', [4]), [1, 3], 0);
  graph.output('y', second as NonNullable<typeof second>);
  prune(graph);
  expect(graph.nodes.map(({ operation }) => operation)).toEqual(['Split']);
});
