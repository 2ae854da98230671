/**
 * @file Records one history per workflow type, from a small run on a server of its own, for the replay test.
 * @example node test/replay/record.ts
 * @example node test/replay/record.ts scout
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { playingQueue } from '../../core/run/names.ts';
import type { RolloutInput } from '../../core/run/types.ts';
import { startDevServer } from '../../workers/temporal/devServer.ts';
import { cannedAnswer } from '../scouting/cannedModel.ts';
import { headerIssue, makeGitRepository } from '../scouting/gitRepository.ts';
import { ModelServer } from '../scouting/modelServer.ts';
import { resultOf, ScoutStage } from '../scouting/scoutStage.ts';
import { historiesOf } from '../workflows/histories.ts';
import { runWith } from '../workflows/runs.ts';
import { policyRef } from '../workflows/scene.ts';
import { Stage } from '../workflows/stage.ts';

const directory = import.meta.dirname;
/** `train` records what a run is made of; without a name, everything is recorded. */
const wanted = process.argv[2];
const home = await mkdtemp(join(tmpdir(), 'turnwise-record-'));
const server = await startDevServer({ dbFile: join(home, 'temporal.db'), uiPort: null });
try {
  if (wanted !== 'scout') await recordRun(server.address);
  if (wanted !== 'train') await recordScout(server.address);
} finally {
  await server.stop();
  await rm(home, { recursive: true, force: true });
}

async function recordRun(address: string): Promise<void> {
  const stage = await Stage.open(address);
  try {
    await playRun(stage);
  } finally {
    await stage.close();
  }
}

async function playRun(stage: Stage): Promise<void> {
  const { run } = stage.scene('recorded');
  const config = runWith({
    warmup: { steps: 2 },
    training: { steps: 1, tasksPerStep: 1, groupSize: 2 },
    evaluation: { tasks: 2, modes: ['sampled'], samplesPerTask: 2 },
  });
  await (await stage.train(run, config)).result();
  await playOneRollout(stage, run);
  const written = new Set<string>();
  for (const { type, history } of await historiesOf(stage.client, run)) {
    if (written.has(type)) continue;
    written.add(type);
    await write(type, history);
  }
}

async function recordScout(address: string): Promise<void> {
  const model = await ModelServer.start(cannedAnswer);
  const stage = await ScoutStage.open({ address, home });
  try {
    const repository = join(home, 'headers');
    await mkdir(repository);
    makeGitRepository(repository);
    const handle = await stage.start(repository, headerIssue, { provider: 'compatible', name: 'scripted', baseUrl: model.baseUrl });
    await resultOf(handle);
    await write('scout', await handle.fetchHistory());
  } finally {
    await stage.close();
    await model.stop();
  }
}

async function write(type: string, history: Parameters<typeof historyToJSON>[0]): Promise<void> {
  const events = JSON.parse(historyToJSON(history)) as unknown;
  // Which machine recorded it is nobody's business and changes with every recording.
  await writeFile(join(directory, `${type}.json`), `${JSON.stringify(events).replaceAll(hostname(), 'recorder')}\n`);
  console.log(`${type}.json: ${history.events?.length} events`);
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
