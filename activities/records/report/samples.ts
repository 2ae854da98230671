/** @file Which trajectories a person is shown: from the first and the last step, a solved and an unsolved sibling of the same task. */
import { type RunRecords, readTrajectories } from '../readRun.ts';
import type { TrajectoryLine } from '../trajectoryLine.ts';
import type { StepSamples } from './page.ts';

export async function readSamples(home: string, { run, trajectorySteps }: RunRecords): Promise<readonly StepSamples[]> {
  const steps = [...new Set([trajectorySteps[0], trajectorySteps.at(-1)])].filter((step) => step !== undefined);
  return Promise.all(steps.map(async (step) => ({ step, trajectories: sampleTrajectories(await readTrajectories(home, run, step)) })));
}

/** A group with both outcomes says most, because its siblings were compared with one another. */
function sampleTrajectories(lines: readonly TrajectoryLine[]): readonly TrajectoryLine[] {
  const played = lines.filter(({ turns }) => turns.length > 0);
  const mixed = played.find((solved) => isSolved(solved) && played.some((other) => other.group_id === solved.group_id && isUnsolved(other)))?.group_id;
  const from = mixed === undefined ? played : played.filter(({ group_id }) => group_id === mixed);
  return [from.find(isSolved), from.find(isUnsolved)].filter((line) => line !== undefined);
}

function isSolved({ outcome }: TrajectoryLine): boolean {
  return outcome === 'solved';
}

function isUnsolved({ outcome }: TrajectoryLine): boolean {
  return outcome === 'failed' || outcome === 'truncated';
}
