/**
 * @file The promise that everything rests on: `kill -9` of any process, at any moment, and the run ends by itself with the same weights.
 * Real supervisor, server, workers and Python. A warm policy is trained once; every scenario then trains the same three steps from it.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../../core/run/config.ts';
import { workflowIds } from '../../core/run/names.ts';
import type { Progress } from '../../core/run/types.ts';
import { runConfigSchema } from '../../workers/config/runConfigSchema.ts';
import { erroredRollouts, expectedKeys, ledgerKeys, metricSteps, playedActivities, temporaryFiles } from './runRecords.ts';
import { Turnwise, until, untilStarted } from './turnwise.ts';

const steps = 3;
const tasksPerStep = 4;
const groupSize = 4;
const warmupSteps = 200;

const home = mkdtempSync(join(tmpdir(), 'turnwise-durability-'));
let turnwise: Turnwise;
let reference: { readonly sha256: string; readonly config: RunConfig };

/** What both the warm-up and the killed runs share. */
const shared = {
  seed: 1,
  tasks: [{ family: 'chain' }],
  gate: { minSampledSolved: 0 },
  evaluation: { tasks: 4, modes: ['sampled'] },
  credit: { uniformGroups: 'keep' },
};

beforeAll(async () => {
  turnwise = await Turnwise.prepare(home);
  await turnwise.start();
  const warm = { ...shared, warmup: { steps: warmupSteps, stepsPerCommit: 100 }, training: { steps: 0 } };
  await play('warm', parse(warm));
  const path = turnwise.runFile('warm', 'checkpoints', `warmup_step_${warmupSteps}`, 'policy');
  const config = parse({ ...shared, policy: { path }, warmup: { steps: 0 }, training: { steps, tasksPerStep, groupSize } });
  await play('uninterrupted', config);
  reference = { sha256: turnwise.weightsSha256('uninterrupted', `checkpoints/global_step_${steps}`), config };
}, 300_000);

afterAll(async () => {
  await turnwise.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

function parse(input: object): RunConfig {
  return runConfigSchema.parse(input) as RunConfig;
}

async function play(run: string, config: RunConfig) {
  const client = await turnwise.client();
  await turnwise.train(client, run, config).finally(() => client.connection.close());
  return turnwise.result(run);
}

/** Starts a run, does the damage once its moment has come, and expects the same end as the uninterrupted run's. */
async function survive(run: string, damage: (client: Client) => Promise<void>, config = reference.config): Promise<void> {
  const client = await turnwise.client();
  try {
    await turnwise.train(client, run, config);
    await damage(client);
  } finally {
    await client.connection.close();
  }
  const result = await turnwise.result(run);
  expect(result.phase).toBe('completed');
  const directory = turnwise.runFile(run);
  expect(turnwise.weightsSha256(run, `checkpoints/global_step_${steps}`)).toBe(reference.sha256);
  expect(ledgerKeys(directory)).toEqual(expectedKeys(steps, tasksPerStep, groupSize));
  expect(metricSteps(directory)).toEqual([1, 2, 3]);
  expect(erroredRollouts(directory)).toBe(0);
  expect(temporaryFiles(directory)).toEqual([]);
  await expectOnlyTurnsInFlightAgain(run);
}

/** Of every rollout at most the one `generate` and the one `execute` that were in flight when the kill came were carried out again. */
async function expectOnlyTurnsInFlightAgain(run: string): Promise<void> {
  const client = await turnwise.client();
  try {
    for (let step = 1; step <= steps; step++) {
      for (let position = 0; position < tasksPerStep; position++) {
        const { events } = await client.workflow.getHandle(workflowIds.group(run, step, position)).fetchHistory();
        const again = playedActivities(events ?? []).filter(({ type, attempts }) => attempts > 1 && (type === 'generate' || type === 'execute'));
        expect(new Set(again.map(({ type, sibling }) => `${type} of ${sibling}`)).size, `${run}, step ${step}, task ${position}`).toBe(again.length);
      }
    }
  } finally {
    await client.connection.close();
  }
}

describe('kill -9 during a run of three steps', () => {
  test('the uninterrupted run trains every rollout once', () => {
    const directory = turnwise.runFile('uninterrupted');
    expect(ledgerKeys(directory)).toEqual(expectedKeys(steps, tasksPerStep, groupSize));
    expect(metricSteps(directory)).toEqual([1, 2, 3]);
  });

  test('the policy worker, in the middle of generating', async () => {
    await survive('kill-policy', async (client) => {
      await untilStarted(client, workflowIds.group('kill-policy', 2, 1), 'generate');
      turnwise.kill('policy');
    });
  }, 180_000);

  test('the sandbox worker, in the middle of executing', async () => {
    await survive('kill-sandbox', async (client) => {
      await untilStarted(client, workflowIds.group('kill-sandbox', 2, 2), 'execute');
      turnwise.kill('sandbox');
    });
  }, 180_000);

  test('the trainer, in the middle of an update', async () => {
    await survive('kill-update', async (client) => {
      await untilStarted(client, workflowIds.step('kill-update', 2), 'update');
      turnwise.kill('trainer');
    });
  }, 180_000);

  test('the trainer, in the middle of an update that computes activations again: the same weights as in one graph', async () => {
    const config = { ...reference.config, policy: { ...reference.config.policy, recomputeActivations: true } };
    const kill = async (client: Client) => {
      await untilStarted(client, workflowIds.step('kill-recomputed', 2), 'update');
      turnwise.kill('trainer');
    };
    await survive('kill-recomputed', kill, config);
  }, 180_000);

  test('the trainer, between the update and its checkpoint', async () => {
    await survive('kill-checkpoint', async () => {
      const checkpoints = turnwise.runFile('kill-checkpoint', 'checkpoints');
      const isBeingWritten = () => existsSync(checkpoints) && readdirSync(checkpoints).some((name) => name.startsWith('.global_step_2.'));
      await until(isBeingWritten, 60_000, 'the checkpoint of step 2 being written', 0);
      turnwise.kill('trainer');
    });
  }, 180_000);

  test('the workflow worker, while groups are playing', async () => {
    await survive('kill-workflows', async (client) => {
      await untilStarted(client, workflowIds.group('kill-workflows', 2, 0), 'generate');
      turnwise.kill('workflows');
    });
  }, 180_000);

  test('the server, while groups are playing', async () => {
    await survive('kill-server', async (client) => {
      await untilStarted(client, workflowIds.group('kill-server', 2, 0), 'generate');
      turnwise.kill('server');
    });
  }, 180_000);

  test('server and all workers at once', async () => {
    await survive('kill-all', async (client) => {
      await untilStarted(client, workflowIds.group('kill-all', 2, 0), 'generate');
      for (const role of ['server', 'workflows', 'policy', 'sandbox', 'trainer', 'scout'] as const) turnwise.kill(role);
    });
  }, 180_000);

  test('the whole machine: supervisor too, started again afterwards', async () => {
    await survive('kill-machine', async (client) => {
      await untilStarted(client, workflowIds.group('kill-machine', 2, 0), 'generate');
      killMachine();
      await turnwise.start();
    });
  }, 180_000);

  test('the whole machine, and the newest checkpoint is torn: the one before is used, with a warning', async () => {
    await survive('kill-torn', async (client) => {
      await untilStarted(client, workflowIds.group('kill-torn', 2, 0), 'generate');
      killMachine();
      truncateSync(turnwise.runFile('kill-torn', 'checkpoints', 'global_step_1', 'policy', 'model.safetensors'), 1000);
      await turnwise.start();
    });
    expect(readdirSync(turnwise.runFile('kill-torn', 'checkpoints'))).toContain('refused-1-global_step_1');
    const client = await turnwise.client();
    const { warnings } = await client.workflow.getHandle(workflowIds.train('kill-torn')).query<Progress>('progress');
    await client.connection.close();
    expect(warnings).toEqual([expect.stringMatching(/^checkpoint global_step_1: policy\/model\.safetensors: expected \d+ bytes, got 1000; the file is torn/)]);
  }, 180_000);

  test('nothing is left over once turnwise has stopped', async () => {
    turnwise.watch();
    await turnwise.stop();
    await until(() => turnwise.survivors().length === 0, 10_000, 'every process that was ever below the supervisor gone');
    expect(turnwise.survivors()).toEqual([]);
  }, 60_000);
});

/** `kill -9` of the supervisor and everything below it. */
function killMachine(): void {
  const everything = turnwise.watch();
  turnwise.kill('supervisor');
  for (const { pid } of everything) killIfAlive(pid);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended with its parent
  }
}
