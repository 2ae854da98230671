/** @file Agreement with the references as figures: the golden tests and the gradient rules, counted from their own reports. */

import { testReport } from '../test/support/testReport.ts';
import type { Figure } from './figure.ts';

export async function goldenFigures(): Promise<Figure[]> {
  return [
    await counted('golden cases', ['--project', 'golden'], 'credit to 1e-9, loss to 1e-6, models to 1e-4, greedy continuations and encodings equal'),
    await counted(
      'gradient rules',
      ['--project', 'unit', 'test/graph/gradients.test.ts'],
      'each rule against central differences in float64 on random shapes, relative error ≤ 1e-6',
    ),
  ];
}

async function counted(name: string, selection: readonly string[], how: string): Promise<Figure> {
  const tests = await testReport(selection);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  return { name, value: passed, unit: 'tests', bar: `all ${tests.length}`, pass: passed === tests.length && tests.length > 0, spread: null, how };
}
