/** @file The kill tests of test/durability as figures: real processes, `kill -9` at each kind of moment, weights compared by their sha-256. */
import { testReport } from '../test/support/testReport.ts';
import type { Figure } from './figure.ts';

export async function durabilityFigures(): Promise<Figure[]> {
  const tests = await testReport(['--project', 'integration', 'test/durability']);
  return tests.map(({ title, status, duration }) => ({
    name: title,
    value: (duration ?? 0) / 1000,
    unit: 's',
    bar: 'passes',
    pass: status === 'passed',
    spread: null,
    how: 'test/durability: the run completes by itself, every rollout is in the ledger once, final weights equal the uninterrupted run’s',
  }));
}
