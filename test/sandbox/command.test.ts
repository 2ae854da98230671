/** @file `npm run sandbox` as a process of its own: one result a line, every field of it, and mistakes in words. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeWithDocker } from './dockerBackend.ts';

const directory = mkdtempSync(join(tmpdir(), 'sandbox-command-'));
afterAll(() => rmSync(directory, { recursive: true }));
const script = new URL('../../scripts/sandbox.ts', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly results: readonly Record<string, unknown>[];
  readonly stderr: string;
}

function sandbox(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, ...args], { timeout: 100_000 }, (_error, stdout, stderr) => {
      const results = stdout.split('\n').filter((line) => line.startsWith('{'));
      resolve({ code: child.exitCode, results: results.map((line) => JSON.parse(line) as Record<string, unknown>), stderr });
    });
  });
}

function operations(name: string, ...lines: readonly unknown[]): string {
  const path = join(directory, name);
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
}

const everyOperation = () =>
  operations(
    'all.jsonl',
    { op: 'run', code: 'print(input()[::-1])', stdin: 'abc' },
    { op: 'open', sandbox: 'a', setup: 'x = 40' },
    { op: 'execute', sandbox: 'a', code: 'x += 2\nx' },
    { op: 'execute', sandbox: 'a', code: '1 / 0' },
    { op: 'close', sandbox: 'a' },
    { op: 'judge', code: 'print(int(input()) * 2)', cases: [{ stdin: '21', stdout: '42' }] },
    { op: 'judge', code: 'import os\nos._exit(0)', cases: [{ stdin: '21', stdout: '42' }] },
    { op: 'run', code: 'while True: pass', limits: { wallMs: 500 } },
  );

async function expectEveryOperation(backend: string): Promise<Ended> {
  const ended = await sandbox(everyOperation(), '--backend', backend);
  expect(ended.results).toMatchObject([
    { op: 'run', backend, exitCode: 0, stdout: 'cba\n', stderr: '', timedOut: false, outOfMemory: false, truncated: false, durationMs: expect.any(Number) },
    { op: 'open', backend, sandbox: 'a' },
    { op: 'execute', exitCode: 0, value: '42' },
    { op: 'execute', exitCode: 1, errorType: 'ZeroDivisionError' },
    { op: 'close', closed: true },
    { op: 'judge', passed: true, cases: 1 },
    { op: 'judge', passed: false, suspicions: ['hardExit'] },
    { op: 'run', exitCode: null, timedOut: true },
  ]);
  expect(ended.code).toBe(0);
  return ended;
}

describe('npm run sandbox', { timeout: 120_000 }, () => {
  test('runs a list of operations in the embedded sandbox', async () => {
    await expectEveryOperation('embedded');
  });

  test('goes on after an operation that is none, says what is wrong with it, and fails', async () => {
    const path = operations('wrong.jsonl', 'no json', { op: 'fly' }, { op: 'execute', code: '1' }, { op: 'run', code: '1', limits: { wallMs: -1 } });
    const { code, results } = await sandbox(path, '--backend', 'embedded');
    expect(results.map(({ message }) => message)).toEqual([
      expect.stringContaining('expected one JSON object a line'),
      expect.stringContaining('op'),
      expect.stringContaining('open it first'),
      expect.stringContaining('wallMs'),
    ]);
    expect(code).toBe(1);
  });

  test('refuses a backend that there is none of', async () => {
    const { code, stderr } = await sandbox('--code', '1', '--backend', 'chroot');
    expect(stderr).toContain("--backend: expected auto, docker, embedded, got 'chroot'");
    expect(code).not.toBe(0);
  });
});

describeWithDocker('npm run sandbox with docker', () => {
  test('runs a list of operations, and says of each what was measured outside', async () => {
    const { results } = await expectEveryOperation('docker');
    expect(results[0]).toMatchObject({
      details: { status: 'ok', signal: null, queueMs: expect.any(Number), cpuMs: expect.any(Number), peakMemoryBytes: expect.any(Number), strayProcesses: 0 },
    });
    expect(results.at(-1)).toMatchObject({ details: { status: 'timeout' } });
  });
});
