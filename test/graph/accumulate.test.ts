/** @file Sums of gradients that matrix products add to, and the order in which ONNX Runtime computes what nothing reads. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSession } from '../../activities/policy/ort/session.ts';
import { accumulate } from '../../core/graph/accumulate.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import * as op from '../../core/graph/ops.ts';

const square = (...data: number[]) => ({ data: Float32Array.from(data), shape: [2, 2] });
const feeds = { a: square(1, 2, 3, 4), b: square(5, 6, 7, 8), sum: square(100, 200, 300, 400) };

async function computed(graph: Graph): Promise<readonly number[][]> {
  const session = await createSession(modelBytes(graph), { threads: 1 });
  const outputs = await session.run(feeds);
  await session.release();
  return session.outputNames.map((name) => Array.from(outputs[name] as Float32Array));
}

function productAndSum(): { graph: Graph; product: ReturnType<typeof op.gemm>; sum: ReturnType<Graph['input']> } {
  const graph = new Graph();
  const [a, b, sum] = [graph.input('a', 'float32', [2, 2]), graph.input('b', 'float32', [2, 2]), graph.input('sum', 'float32', [2, 2])];
  return { graph, product: op.gemm(a, b), sum };
}

test('a product adds the sum itself', async () => {
  const { graph, product, sum } = productAndSum();
  graph.output('total', accumulate(sum, product));
  expect(graph.nodes.map(({ operation }) => operation)).toEqual(['Gemm']);
  expect(await computed(graph)).toEqual([[119, 222, 343, 450]]);
});

test('a product that something else reads stays what it is', async () => {
  const { graph, product, sum } = productAndSum();
  graph.output('negative', op.neg(product));
  graph.output('total', accumulate(sum, product));
  expect(await computed(graph)).toEqual([
    [-19, -22, -43, -50],
    [119, 222, 343, 450],
  ]);
});

test('ONNX Runtime computes results in the order in which they were made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'turnwise-order-'));
  const { graph, product, sum } = productAndSum();
  let through = product;
  for (let layer = 0; layer < 4; layer++) {
    graph.scope = `layers.${layer}/`;
    graph.output(`result.${layer}`, op.gemm(through, sum, { transA: true }));
    through = op.gemm(through, sum);
  }
  graph.output('last', op.neg(through));
  try {
    const session = await createSession(modelBytes(graph), { threads: 1, profilePrefix: join(folder, 'profile') });
    await session.run(feeds);
    session.endProfiling();
    await session.release();
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file as string), 'utf8')) as { cat: string; name: string; ts: number }[];
    const kernels = events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time')).toSorted((x, y) => x.ts - y.ts);
    expect(kernels.map(({ name }) => name.replace('_kernel_time', ''))).toEqual(graph.nodes.map(({ name }) => name));
  } finally {
    await rm(folder, { recursive: true });
  }
});
