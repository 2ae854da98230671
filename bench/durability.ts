/** @file The kill tests of test/durability as figures: real processes, `kill -9` at each kind of moment, weights compared by their sha-256. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Figure } from './figure.ts';

interface TestReport {
  readonly testResults: readonly { readonly assertionResults: readonly { readonly title: string; readonly status: string; readonly duration?: number }[] }[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

export async function durabilityFigures(): Promise<Figure[]> {
  const { testResults } = JSON.parse(await report()) as TestReport;
  return testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .map(({ title, status, duration }) => ({
      name: title,
      value: (duration ?? 0) / 1000,
      unit: 's',
      bar: 'passes',
      pass: status === 'passed',
      spread: null,
      how: 'test/durability: the run completes by itself, every rollout is in the ledger once, final weights equal the uninterrupted run’s',
    }));
}

/** Failed tests make vitest exit with 1; its report says which. */
function report(): Promise<string> {
  const parameters = [vitest, 'run', '--project', 'integration', '--reporter', 'json', 'test/durability'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, parameters, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      const start = stdout.indexOf('{"numTotalTestSuites"');
      if (start >= 0) resolve(stdout.slice(start));
      else reject(error ?? new Error('vitest: expected a JSON report, got none'));
    });
  });
}
