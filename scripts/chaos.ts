/**
 * @file Kills processes of a small training run at random, with SIGKILL, and shows that it completes.
 * @example npm run chaos
 * @example npm run chaos -- --kills 12 --steps 10 --seed 3
 */
import { setTimeout } from 'node:timers/promises';
import { randomOf } from '../core/random.ts';
import { loadRunConfig } from '../workers/config/runConfig.ts';
import { askWorkersFor } from '../workers/config/sandboxBackend.ts';
import { isAlive } from '../workers/supervisor/processIdentity.ts';
import { readRecords } from '../workers/supervisor/processRecords.ts';
import { commandNamed, exitCodes, runCommand, say, withOwnProcesses } from './runs/command.ts';
import { wholeNumber } from './runs/options.ts';
import { playRun } from './runs/playRun.ts';
import { newRunName } from './runs/runName.ts';

const program = commandNamed('chaos')
  .description('Train while server and workers are killed with SIGKILL at random moments; succeeds when the run completes by itself.')
  .option('--kills <n>', 'how many processes to kill', wholeNumber, 8)
  .option('--steps <n>', 'training steps', wholeNumber, 20)
  .option('--seed <k>', 'of the kills and of the run', wholeNumber, 0)
  .option('--json <file>', 'write the result there')
  .parse();

const { kills, steps, seed, json } = program.opts<{ kills: number; steps: number; seed: number; json?: string }>();

await runCommand(async () => {
  const config = loadRunConfig('examples/quickstart.yaml', [
    `seed=${seed}`,
    `training.steps=${steps}`,
    'warmup.steps=200',
    'gate.minSampledSolved=0',
    'evaluation.tasks=40',
  ]);
  askWorkersFor(config.sandbox);
  return withOwnProcesses(async (processes, signal) => {
    const over = new AbortController();
    const killing = killAtRandom(over.signal);
    const code = await playRun({ run: newRunName('chaos'), config, json }, processes, signal).finally(() => over.abort());
    const killed = await killing;
    say(`${killed} of ${kills} kills, ${code === exitCodes.done ? 'and the run completed by itself' : 'and the run did not complete'}`);
    return code === exitCodes.done && killed < kills ? exitCodes.failed : code;
  });
});

/** Answers with how many were killed before the run was over. */
async function killAtRandom(over: AbortSignal): Promise<number> {
  const random = randomOf(seed);
  for (let killed = 0; killed < kills; killed += 1) {
    await setTimeout(random.integer(1500, 5000), undefined, { signal: over }).catch(() => {});
    if (over.aborted) return killed;
    const candidates = readRecords().filter((record) => record.role !== 'supervisor' && record.role !== 'server-guard' && isAlive(record));
    if (candidates.length === 0) continue;
    const victim = random.pick(candidates);
    process.kill(victim.pid, 'SIGKILL');
    say(`\nkill -9 ${victim.role} (process ${victim.pid})`);
  }
  return kills;
}
