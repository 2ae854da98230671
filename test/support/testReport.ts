/** @file Runs some tests in a process of their own and reads vitest's report: for figures that are counts of passed tests. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface TestOutcome {
  readonly title: string;
  readonly status: string;
  readonly duration?: number;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** Failed tests make vitest exit with 1; its report says which. */
export async function testReport(selection: readonly string[]): Promise<readonly TestOutcome[]> {
  const directory = mkdtempSync(join(tmpdir(), 'turnwise-report-'));
  try {
    const file = join(directory, 'report.json');
    await run([vitest, 'run', '--reporter', 'json', `--outputFile=${file}`, ...selection]);
    const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly testResults: readonly { readonly assertionResults: readonly TestOutcome[] }[];
    };
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(parameters: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    execFile(process.execPath, parameters, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, () => resolve());
  });
}
