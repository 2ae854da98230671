/** @file Weights of few bits: how close they stay, and that the kernel multiplies by what the codes mean. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSession } from '../../activities/policy/ort/session.ts';
import { evaluate } from '../../core/graph/evaluate.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import * as ops from '../../core/graph/ops.ts';
import { quantisationBlock, quantised } from '../../core/model/quantisation.ts';
import { randomOf } from '../../core/random.ts';

const draw = fc.record({
  rows: fc.integer({ min: 1, max: 20 }),
  columns: fc.integer({ min: 1, max: 100 }),
  bits: fc.constantFrom(8 as const, 4 as const),
  seed: fc.nat(),
});

test('every weight is off by half a scale at most, and zeros stay zeros', () => {
  fc.assert(
    fc.property(draw, ({ rows, columns, bits, seed }) => {
      const random = randomOf(seed);
      const data = Float32Array.from({ length: rows * columns }, (_, i) => (i % 7 === 0 ? 0 : random.normal()));
      const { codes, scales, blockCount } = quantised({ shape: [rows, columns], data }, bits);
      const perByte = 8 / bits;
      data.forEach((value, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const at = row * blockCount * quantisationBlock + column;
        const code = ((codes[Math.floor(at / perByte)] as number) >> (bits * (at % perByte))) & (2 ** bits - 1);
        const scale = scales[Math.floor(at / quantisationBlock)] as number;
        expect(Math.abs(scale * (code - 2 ** (bits - 1)) - value)).toBeLessThanOrEqual(scale * 0.5001);
        if (value === 0) expect(code).toBe(2 ** (bits - 1));
      });
    }),
    { numRuns: 30 },
  );
});

test.each([8, 4] as const)('products with %i bits are those of the definition, within what quantised rows of x cost', async (bits) => {
  const random = randomOf(bits);
  const [tokens, rows, columns] = [3, 40, 72];
  const x = Float32Array.from({ length: tokens * columns }, () => random.normal());
  const { codes, scales, blockCount } = quantised({ shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, () => random.normal()) }, bits);
  const graph = new Graph();
  const codeValues = graph.initializer('codes', 'uint8', [rows, blockCount, (quantisationBlock * bits) / 8], codes);
  const scaleValues = graph.initializer('scales', 'float32', [rows, blockCount], scales);
  const input = graph.input('x', 'float32', [tokens, columns]);
  graph.output('y', ops.matMulNBits(input, codeValues, scaleValues, { bits, block: quantisationBlock }));
  const expected = evaluate(graph, new Map([['x', { shape: [tokens, columns], data: Float64Array.from(x) }]])).get('y')?.data as Float64Array;
  const session = await createSession(modelBytes(graph), { threads: 1 });
  const { y } = await session.run({ x: { data: x, shape: [tokens, columns] } });
  await session.release();
  const norm = Math.hypot(...expected);
  expect(Math.hypot(...expected.map((value, i) => (y?.[i] as number) - value)) / norm).toBeLessThan(0.01);
});
