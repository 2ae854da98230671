/** @file Every workflow replays its recorded history: code that was changed in a way that breaks runs in flight fails here, not in production. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { type WorkflowBundle, workflowBundle } from '../../workers/bundle.ts';
import * as workflows from '../../workflows/index.ts';

const types = Object.keys(workflows);
let bundle: WorkflowBundle;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await workflowBundle();
});

test('every workflow type has a recorded history, and nothing else is recorded (node test/replay/record.ts makes them)', async () => {
  const recorded = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.json'));
  expect(recorded.sort()).toEqual(types.map((type) => `${type}.json`).sort());
});

test.each(types)('%s replays', async (type) => {
  const history = await recordedHistory(type);
  expect(JSON.stringify(history)).toContain(`"workflowType":{"name":"${type}"}`);
  expect(JSON.stringify(history)).toContain('coreUsedFlags');
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history, type)).resolves.toBeUndefined();
});

test('a history in which another activity was scheduled does not replay', async () => {
  const history = await recordedHistory('group');
  const changed = JSON.parse(JSON.stringify(history).replaceAll('"name":"generate"', '"name":"invent"')) as unknown;
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, changed, 'changed')).rejects.toThrow(/[Nn]ondeterminism|TMPRL1100/);
});

async function recordedHistory(type: string): Promise<unknown> {
  return JSON.parse(await readFile(join(import.meta.dirname, `${type}.json`), 'utf8'));
}
