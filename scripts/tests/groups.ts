/** @file The groups of tests: lint, types, and the projects of vitest.config.ts; each answers with a tally. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tally } from './tallyReporter.ts';

export const groupNames = ['lint', 'types', 'unit', 'golden', 'replay', 'integration'] as const;
export type GroupName = (typeof groupNames)[number];

const root = fileURLToPath(new URL('../..', import.meta.url));

export function runGroup(name: GroupName): Promise<Tally> {
  if (name === 'lint') return asOneTest('biome', ['check', '.']);
  if (name === 'types') return asOneTest('tsc', ['-b']);
  return runVitest(name);
}

/** A tool that says yes or no counts as one test. */
async function asOneTest(tool: string, parameters: string[]): Promise<Tally> {
  const passed = (await run(tool, parameters, {})) === 0;
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: [] };
}

async function runVitest(project: string): Promise<Tally> {
  const directory = mkdtempSync(join(tmpdir(), 'turnwise-tally-'));
  const file = join(directory, 'tally.json');
  const reporters = ['--reporter=default', '--reporter=./scripts/tests/tallyReporter.ts'];
  try {
    const code = await run('vitest', ['run', '--project', project, '--passWithNoTests', ...reporters], { TURNWISE_TALLY: file });
    const tally = readTally(file);
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** No tally means that vitest did not get so far. */
function readTally(file: string): Tally {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Tally;
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function run(tool: string, parameters: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const binary = join(root, 'node_modules', '.bin', tool);
    const child = spawn(binary, parameters, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
