/**
 * @file Records one history per workflow type, from a small run on a server of its own, for the replay test.
 * @example node test/replay/record.ts
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { playingQueue } from '../../core/run/names.ts';
import type { RolloutInput } from '../../core/run/types.ts';
import { startDevServer } from '../../workers/temporal/devServer.ts';
import { historiesOf } from '../workflows/histories.ts';
import { runWith } from '../workflows/runs.ts';
import { policyRef } from '../workflows/scene.ts';
import { Stage } from '../workflows/stage.ts';

const directory = import.meta.dirname;
const home = await mkdtemp(join(tmpdir(), 'turnwise-record-'));
const server = await startDevServer({ dbFile: join(home, 'temporal.db'), uiPort: null });
try {
  const stage = await Stage.open(server.address);
  try {
    await record(stage);
  } finally {
    await stage.close();
  }
} finally {
  await server.stop();
  await rm(home, { recursive: true, force: true });
}

async function record(stage: Stage): Promise<void> {
  const { run } = stage.scene('recorded');
  const config = runWith({
    warmup: { steps: 2 },
    training: { steps: 1, tasksPerStep: 1, groupSize: 2 },
    evaluation: { tasks: 2, modes: ['sampled'], samplesPerTask: 2 },
  });
  await (await stage.train(run, config)).result();
  await playOneRollout(stage, run);
  for (const name of await readdir(directory)) if (name.endsWith('.json')) await rm(join(directory, name));
  const written = new Set<string>();
  for (const { type, history } of await historiesOf(stage.client, run)) {
    if (written.has(type)) continue;
    written.add(type);
    const events = JSON.parse(historyToJSON(history)) as unknown;
    // Which machine recorded it is nobody's business and changes with every recording.
    await writeFile(join(directory, `${type}.json`), `${JSON.stringify(events).replaceAll(hostname(), 'recorder')}\n`);
    console.log(`${type}.json: ${history.events?.length} events`);
  }
}

async function playOneRollout(stage: Stage, run: string): Promise<void> {
  const rollouts = { seed: 0, temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20, rolloutTimeoutMs: 60_000 };
  const input: RolloutInput = { run, step: 0, sibling: 1, policy: policyRef(1), config: rollouts, task: { split: 'heldOut', offset: 3 } };
  await stage.client.workflow.execute<(input: RolloutInput) => Promise<unknown>>('rollout', {
    taskQueue: playingQueue,
    workflowId: `train/${run}/by-hand`,
    args: [input],
  });
}
