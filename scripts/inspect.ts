/**
 * @file A run in the terminal: verdict, before and after, curves, trajectories turn by turn, ledger.
 * @example npm run inspect -- quickstart-1123-141503
 * @example npm run inspect -- quickstart-1123-141503 --step 12
 * @example npm run inspect -- quickstart-1123-141503 --rollout chain/train/17/3
 * @example npm run inspect -- quickstart-1123-141503 --json run.json
 */
import { writeFileSync } from 'node:fs';
import { answers, connectClient, connectionSettings } from '../workers/config/connection.ts';
import { turnwiseHome } from '../workers/onDisk.ts';
import {
  inspection,
  type RunRecords,
  readRun,
  readSamples,
  readTrajectories,
  runText,
  type Standing,
  stepText,
  type TrajectoryLine,
  trajectoryText,
} from '../workers/records.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';
import { wholeNumber } from './runs/options.ts';
import { stateOf } from './runs/resumption.ts';
import { requireRun } from './runs/runName.ts';

const program = commandNamed('inspect')
  .description('Show what a run has done: the same as its report.html. GTPO is Group Turn Policy Optimization (arXiv 2511.14846).')
  .argument('<run>', 'name of the run')
  .option('--step <n>', 'every rollout of this step', wholeNumber)
  .option('--rollout <task/sibling>', 'one trajectory turn by turn, of --step or else of the last step that has it')
  .option('--json [file]', 'the same as JSON, to the file or to standard output')
  .parse();

const options = program.opts<{ step?: number; rollout?: string; json?: string | true }>();

await runCommand(async () => {
  const [run = ''] = program.args;
  const home = turnwiseHome();
  requireRun(run);
  const records = await readRun(home, run);
  const { shown, text } = await view(home, records.standing === null ? { ...records, standing: await liveStanding(run) } : records);
  if (options.json === undefined) say(text);
  else if (options.json === true) say(JSON.stringify(shown, null, 2));
  else writeFileSync(options.json, `${JSON.stringify(shown, null, 2)}\n`);
  return 0;
});

/** What a run that goes on says of itself: only the server knows that it is paused, or waits. */
async function liveStanding(run: string): Promise<Standing | null> {
  const settings = connectionSettings();
  const client = (await answers(settings, 1000)) ? await connectClient(settings).catch(() => undefined) : undefined;
  if (client === undefined) return null;
  const standing = await stateOf(client, run).catch(() => undefined);
  await client.connection.close();
  return standing?.status === 'RUNNING' && standing.progress !== undefined ? { phase: standing.progress.phase, reason: standing.progress.reason } : null;
}

async function view(home: string, records: RunRecords): Promise<{ readonly shown: unknown; readonly text: string }> {
  if (options.rollout !== undefined) {
    const trajectory = await findRollout(home, records, options.rollout);
    return { shown: trajectory, text: trajectoryText(trajectory) };
  }
  if (options.step !== undefined) {
    const trajectories = await stepOf(home, records, options.step);
    return { shown: trajectories, text: stepText(options.step, trajectories) };
  }
  const samples = await readSamples(home, records);
  return { shown: inspection(records, samples), text: runText(records, samples) };
}

async function stepOf(home: string, { run, trajectorySteps }: RunRecords, step: number): Promise<readonly TrajectoryLine[]> {
  if (trajectorySteps.includes(step)) return readTrajectories(home, run, step);
  throw new Error(`run ${run}: expected a step with trajectories on disk (${trajectorySteps[0] ?? 'none'} … ${trajectorySteps.at(-1) ?? 'none'}), got ${step}`);
}

/** `chain/train/17/3` or `chain/train/17/r3`. */
async function findRollout(home: string, records: RunRecords, name: string): Promise<TrajectoryLine> {
  const [, task, sibling] = /^(.+)\/r?(\d+)$/.exec(name) ?? [];
  const steps = options.step === undefined ? records.trajectorySteps.toReversed() : [options.step];
  for (const step of steps) {
    const found = (await stepOf(home, records, step)).find((line) => line.prompt_id === task && line.sibling === Number(sibling));
    if (found !== undefined) return found;
  }
  throw new Error(
    `run ${records.run}: expected a rollout named task/sibling, such as chain/train/17/3, got ${JSON.stringify(name)}; --step <n> lists those of a step`,
  );
}
