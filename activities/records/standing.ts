/** @file Where a run stands, beyond its figures: status.json says how it ended; while there is none, it goes on or was interrupted. */
import { readFile } from 'node:fs/promises';
import type { RunConfig } from '../../core/run/config.ts';
import type { Phase } from '../../core/run/types.ts';
import { writeFileAtomic } from '../artifacts/atomicWrite.ts';

export interface Standing {
  readonly phase: Phase | 'interrupted';
  readonly reason?: string | undefined;
}

export async function writeStanding(path: string, standing: Standing): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ schema_version: 1, ...standing, time: new Date().toISOString() }, null, 2)}\n`);
}

/** null while the run has not ended, and where the file is damaged. */
export async function readStanding(path: string): Promise<Standing | null> {
  try {
    const { phase, reason } = JSON.parse(await readFile(path, 'utf8')) as Standing;
    return { phase, ...(reason === undefined ? {} : { reason }) };
  } catch {
    // A report without it still says how many steps there are.
    return null;
  }
}

/** What a run's records tell of how far it came. */
interface Course {
  readonly run: string;
  readonly config: Pick<RunConfig, 'training'> | null;
  readonly steps: readonly { readonly step: number }[];
  readonly standing: Standing | null;
}

/** Above the verdict, which speaks of finished runs; undefined where the run has done all that it was to do. */
export function standingText({ run, config, steps, standing }: Course): string | undefined {
  const [done, planned] = [steps.at(-1)?.step ?? 0, config?.training.steps];
  const how = planned === undefined ? `after step ${done}` : `after step ${done} of ${planned}`;
  const because = standing?.reason === undefined ? '' : `: ${standing.reason}`;
  switch (standing?.phase) {
    case 'completed':
      return because === '' ? undefined : `Completed${because}`;
    case 'gated':
      return `Stopped at the gate before reinforcement learning${because}`;
    case 'cancelled':
      return `Cancelled ${how}${because}. \`npm run resume -- ${run}\` starts it again from its newest checkpoint.`;
    case 'waiting-for-operator':
      return `Waits for an operator ${how}${because}. \`npm run resume -- ${run}\` tells it to try again.`;
    case 'paused':
      return `Paused ${how}. \`npm run resume -- ${run}\` tells it to go on.`;
    case 'interrupted':
      return `Interrupted ${how}; nothing is lost. \`npm run resume -- ${run}\` goes on.`;
    case undefined:
      return done === planned ? undefined : `Not finished: ${how}. If nobody is training it, \`npm run resume -- ${run}\` goes on.`;
    default:
      return `Goes on, ${how} (phase ${standing?.phase}).`;
  }
}
