/** @file What the supervisor does to processes: restarts its own, reaps what was left over, touches nobody else's. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { claimHome, reapOrphans, releaseHome } from '../../workers/supervisor/claim.ts';
import { keepProcess, pauseAfter, type RunningProcess } from '../../workers/supervisor/keptProcess.ts';
import { identityOf, isAlive } from '../../workers/supervisor/processIdentity.ts';
import { livingRecord, writeRecord } from '../../workers/supervisor/processRecords.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

beforeEach(async () => {
  vi.stubEnv('TURNWISE_HOME', await temporaryDirectory('supervisor'));
});
afterEach(() => vi.unstubAllEnvs());

/** A real process that only waits. */
async function sleeper(): Promise<RunningProcess> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)));
  const kill = () => void child.kill('SIGKILL');
  const stop = async () => {
    kill();
    await ended;
  };
  return { pid: child.pid ?? -1, ended, kill, stop };
}

test('a killed process is started again, and its record names the new one', async () => {
  const said: string[] = [];
  const kept = keepProcess('policy', sleeper, (line) => said.push(line));
  await kept.ready;
  const first = livingRecord('policy');
  process.kill(first?.pid ?? -1, 'SIGKILL');
  await expect.poll(() => livingRecord('policy')?.restarts, { timeout: 30_000 }).toBe(1);
  expect(livingRecord('policy')?.pid).not.toBe(first?.pid);
  expect(said).toEqual(['policy ended (SIGKILL); starting it again']);
  const second = livingRecord('policy');
  await kept.stop();
  expect([livingRecord('policy'), second && isAlive(second)]).toEqual([undefined, false]);
});

test('a process that never comes up is an error with its reason', async () => {
  const kept = keepProcess(
    'trainer',
    async () => Promise.reject(new Error('no such model')),
    () => {},
  );
  await expect(kept.ready).rejects.toThrow('trainer: ended 3 times while starting: no such model');
  await kept.stop();
});

test('the pauses grow: none, then 1, 2, 4 … 30 seconds', () => {
  expect([1, 2, 3, 4, 7, 50].map(pauseAfter)).toEqual([0, 1000, 2000, 4000, 30_000, 30_000]);
});

test('orphans are reaped by pid and start time; a reused pid is left alone', async () => {
  const [orphan, stranger] = [await sleeper(), await sleeper()];
  const record = (role: 'policy' | 'sandbox', pid: number, started: string) => writeRecord({ role, pid, started, startedAt: '', restarts: 0 });
  record('policy', orphan.pid, identityOf(orphan.pid)?.started ?? '');
  record('sandbox', stranger.pid, 'another start');
  expect(reapOrphans().map(({ role }) => role)).toEqual(['policy']);
  expect(await orphan.ended).toBe('SIGKILL');
  expect(identityOf(stranger.pid)).toBeDefined();
  await stranger.stop();
});

test('a home has one supervisor; the claim of a dead one does not count', () => {
  claimHome();
  expect(() => claimHome()).toThrow(/is in use by another turnwise \(process \d+\)/);
  releaseHome();
  writeRecord({ role: 'supervisor', pid: process.pid, started: 'another start', startedAt: '', restarts: 0 });
  expect(() => claimHome()).not.toThrow();
  releaseHome();
});
