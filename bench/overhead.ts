/**
 * @file What the engine itself costs: a real `step` on a server of its own, every activity answering at once.
 * Traps: the first steps pay for code that is not compiled yet and pollers that have not scaled; they are played and not counted. Beside
 * other work the wall time says little; the CPU seconds stay comparable, though a shared core inflates them by up to a half.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hyperparametersOf } from '../core/run/hyperparameters.ts';
import { taskQueues } from '../core/run/names.ts';
import type { StepInput, StepResult } from '../core/run/types.ts';
import { runWith } from '../test/workflows/runs.ts';
import { cannedPolicy, code, policyRef } from '../test/workflows/scene.ts';
import { Stage } from '../test/workflows/stage.ts';
import { type DevServer, startDevServer } from '../workers/temporal/devServer.ts';
import type { Figure } from './figure.ts';

const groups = 8;
const groupSize = 8;
const turns = 3;
const uncounted = 3;
const counted = 7;
const barSeconds = 1.3;

/** Of one step. */
interface Cost {
  readonly seconds: number;
  /** CPU seconds of this process: workflows, the workers of all queues and the client. */
  readonly workerSeconds: number;
  /** CPU seconds of the server; null where the system has no /proc. */
  readonly serverSeconds: number | null;
}

export async function overheadFigures(): Promise<Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), 'turnwise-overhead-'));
  const server = await startDevServer({ dbFile: join(directory, 'temporal.db'), uiPort: null });
  try {
    return figuresOf(await measure(server));
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure({ address, pid }: DevServer): Promise<Cost[]> {
  const stage = await Stage.open(address);
  try {
    const costs: Cost[] = [];
    for (let round = 0; round < uncounted + counted; round++) costs.push(await costOf(() => playStep(stage), pid));
    return costs.slice(uncounted);
  } finally {
    await stage.close();
  }
}

async function costOf(play: () => Promise<void>, serverPid: number): Promise<Cost> {
  const [started, worker, server] = [performance.now(), process.cpuUsage(), await cpuSecondsOf(serverPid)];
  await play();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(worker);
  const after = await cpuSecondsOf(serverPid);
  return { seconds, workerSeconds: (user + system) / 1e6, serverSeconds: server === null || after === null ? null : after - server };
}

/** User and system time of a process so far: Linux counts it in hundredths of a second. */
async function cpuSecondsOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Every turn is code, so each costs one `generate` and one `execute`; the trajectory ends at `maxTurns`. */
async function playStep(stage: Stage): Promise<void> {
  const policy = cannedPolicy(() => Array.from({ length: turns }, (_, turn) => code(`age(${turn})`)));
  const { run } = stage.scene('overhead', () => ({ generate: policy }));
  const config = runWith({ training: { tasksPerStep: groups, groupSize } });
  const input: StepInput = { run, step: 1, policy: policyRef(0), config, hyperparameters: hyperparametersOf(config) };
  await stage.client.workflow.execute<(input: StepInput) => Promise<StepResult>>('step', {
    taskQueue: taskQueues.workflows,
    workflowId: `train/${run}/s1`,
    args: [input],
  });
}

function figuresOf(costs: readonly Cost[]): Figure[] {
  const how = `median of ${counted} steps of ${groups} groups × ${groupSize} siblings × ${turns} turns, real workflows and server, instant activities, one worker process`;
  const figure = (name: string, unit: string, values: readonly number[]): Figure => {
    const sorted = values.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] as number;
    return { name: `overhead/${name}`, value: median, unit, bar: null, pass: null, spread: [sorted[0] as number, sorted.at(-1) as number], how };
  };
  const step = figure(
    'step',
    's',
    costs.map(({ seconds }) => seconds),
  );
  const turn = figure(
    'turn',
    'ms',
    costs.map(({ seconds }) => (1000 * seconds) / (groups * groupSize * turns)),
  );
  const worker = figure(
    'worker',
    'CPU-s',
    costs.map(({ workerSeconds }) => workerSeconds),
  );
  const server = costs.flatMap(({ serverSeconds }) => serverSeconds ?? []);
  return [
    { ...step, bar: `≤ ${barSeconds}`, pass: step.value <= barSeconds },
    turn,
    ...(server.length === 0 ? [] : [figure('server', 'CPU-s', server)]),
    worker,
  ];
}
