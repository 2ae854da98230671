/**
 * @file What the engine itself costs: a real `step` on a server of its own, every activity answering at once.
 * Trap: the first steps pay for code that is not compiled yet and pollers that have not scaled; they are played and not counted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hyperparametersOf } from '../core/run/hyperparameters.ts';
import { taskQueues } from '../core/run/names.ts';
import type { StepInput, StepResult } from '../core/run/types.ts';
import { runWith } from '../test/workflows/runs.ts';
import { cannedPolicy, code, policyRef } from '../test/workflows/scene.ts';
import { Stage } from '../test/workflows/stage.ts';
import { startDevServer } from '../workers/temporal/devServer.ts';
import type { Figure } from './figure.ts';

const groups = 8;
const groupSize = 8;
const turns = 3;
const uncounted = 3;
const counted = 7;
const barSeconds = 1.3;

export async function overheadFigures(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-overhead-'));
  const server = await startDevServer({ dbFile: join(directory, 'temporal.db'), uiPort: null });
  try {
    return figuresOf(await measure(server.address));
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Seconds of each counted step, sorted. */
async function measure(address: string): Promise<number[]> {
  const stage = await Stage.open(address);
  try {
    const seconds: number[] = [];
    for (let round = 0; round < uncounted + counted; round++) seconds.push(await playStep(stage));
    return seconds.slice(uncounted).sort((a, b) => a - b);
  } finally {
    await stage.close();
  }
}

/** Every turn is code, so each costs one `generate` and one `execute`; the trajectory ends at `maxTurns`. */
async function playStep(stage: Stage): Promise<number> {
  const policy = cannedPolicy(() => Array.from({ length: turns }, (_, turn) => code(`age(${turn})`)));
  const { run } = stage.scene('overhead', () => ({ generate: policy }));
  const config = runWith({ training: { tasksPerStep: groups, groupSize } });
  const input: StepInput = { run, step: 1, policy: policyRef(0), config, hyperparameters: hyperparametersOf(config) };
  const started = performance.now();
  await stage.client.workflow.execute<(input: StepInput) => Promise<StepResult>>('step', {
    taskQueue: taskQueues.workflows,
    workflowId: `train/${run}/s1`,
    args: [input],
  });
  return (performance.now() - started) / 1000;
}

function figuresOf(seconds: readonly number[]): Figure[] {
  const median = seconds[Math.floor(seconds.length / 2)] as number;
  const spread = [seconds[0] as number, seconds.at(-1) as number] as const;
  const perTurn = (value: number) => (1000 * value) / (groups * groupSize * turns);
  const how = `median of ${counted} steps of ${groups} groups × ${groupSize} siblings × ${turns} turns, real workflows and server, instant activities, one worker process`;
  return [
    { name: 'overhead/step', value: median, unit: 's', bar: `≤ ${barSeconds}`, pass: median <= barSeconds, spread, how },
    { name: 'overhead/turn', value: perTurn(median), unit: 'ms', bar: null, pass: null, spread: [perTurn(spread[0]), perTurn(spread[1])], how },
  ];
}
