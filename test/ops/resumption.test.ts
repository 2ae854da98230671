/** @file What `resume` decides, and the line of progress. */
import { expect, test } from 'vitest';
import type { Progress } from '../../core/run/types.ts';
import { Pace } from '../../scripts/display/pace.ts';
import { progressLine } from '../../scripts/display/progressLine.ts';
import { decide } from '../../scripts/runs/resumption.ts';

const progress = (change: Partial<Progress>): Progress => ({
  run: 'r',
  phase: 'rollouts',
  step: 3,
  steps: 60,
  warmupStep: 1200,
  warmupSteps: 1200,
  policyVersion: 3,
  hyperparameters: { lr: 1, temperature: 1, clipLow: 0, clipHigh: 0, klCoefficient: 0, entropyCoefficient: 0, gamma: 1, alpha: 0, formatPenalty: 0 },
  metrics: { 'reward/mean': 0.5, 'solved/mean': 0.625, 'rollouts/tokens_per_second': 4000.4 },
  before: [],
  after: [],
  ...change,
});

test.each([
  [{ status: 'RUNNING', progress: progress({}) }, 'join', 'goes on by itself (phase rollouts, step 3 of 60)'],
  [{ status: 'RUNNING', progress: progress({ phase: 'paused' }) }, 'signal', 'is paused after step 3'],
  [{ status: 'RUNNING', progress: progress({ phase: 'waiting-for-operator', reason: 'disk full' }) }, 'signal', 'waits (disk full)'],
  [{ status: 'FAILED' }, 'start', 'ended as FAILED: starting it again'],
  [{ status: 'TERMINATED' }, 'start', 'ended as TERMINATED'],
  [{ status: 'ABSENT' }, 'start', 'is unknown to the server'],
  [{ status: 'COMPLETED', phase: 'cancelled' }, 'start', 'ended as COMPLETED (cancelled)'],
  [{ status: 'COMPLETED', phase: 'completed' }, 'nothing', 'is complete'],
  [{ status: 'COMPLETED', phase: 'gated' }, 'nothing', 'stopped at the gate'],
] as const)('%o → %s', (standing, action, why) => {
  const decision = decide('r', standing, true);
  expect([decision.action, decision.why]).toEqual([action, expect.stringContaining(why)]);
});

test('a run that nobody knows is an error', () => {
  expect(() => decide('r', { status: 'ABSENT' }, false)).toThrow('run r: neither the server nor .turnwise/runs knows it');
});

test('the line of progress', () => {
  expect(progressLine(progress({}), 83, 4)).toBe('rollouts   ░░░░ step 3/60  reward 0.500  solved 63 %  tokens/s 4000  1:23 left in this phase');
});

test('a run that waits says what to do', () => {
  const waiting = progressLine(progress({ phase: 'waiting-for-operator', reason: 'update: no space left on device', metrics: {} }), undefined, 0);
  expect(waiting).toBe('waiting for an operator  update: no space left on device  → remove the cause, then in another terminal: npm run control -- resume r');
  expect(progressLine(progress({ phase: 'paused', metrics: {} }), undefined, 0)).toBe('paused     → in another terminal: npm run control -- resume r');
});

test('time left follows the pace since the phase began', () => {
  const pace = new Pace();
  expect(pace.secondsLeft(progress({ step: 10 }), 0)).toBeUndefined();
  expect(pace.secondsLeft(progress({ step: 20 }), 30_000)).toBe(120);
  expect(pace.secondsLeft(progress({ phase: 'warmup', warmupStep: 100 }), 31_000)).toBeUndefined();
});
