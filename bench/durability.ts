/** @file The kill tests of test/durability as figures: real processes, `kill -9` at each kind of moment, weights and reports compared. */
import { testReport } from '../test/support/testReport.ts';
import type { Figure } from './figure.ts';

const suites = [
  ['test/durability/kill', 'the run completes by itself, every rollout is in the ledger once, final weights equal the uninterrupted run’s'],
  ['test/durability/scout', 'the scout completes with the report of an undisturbed one, and no answered model call is made again'],
] as const;

export async function durabilityFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [selection, how] of suites) {
    for (const { title, status, duration } of await testReport(['--project', 'integration', selection])) {
      figures.push({
        name: title,
        value: (duration ?? 0) / 1000,
        unit: 's',
        bar: 'passes',
        pass: status === 'passed',
        spread: null,
        how: `${selection}: ${how}`,
      });
    }
  }
  return figures;
}
