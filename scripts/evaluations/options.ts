/** @file Options of `evaluate` that commander cannot check: the list of modes, and those that would have no effect. */
import { InvalidArgumentError } from 'commander';
import type { EvaluationResult } from '../../core/run/types.ts';

type Mode = EvaluationResult['mode'];
export const modes: readonly Mode[] = ['greedy', 'sampled'];

/** Of `--modes`. */
export function modesOf(list: string): Mode[] {
  const named = list.split(',').map((text) => {
    const mode = modes.find((known) => known === text.trim());
    if (mode === undefined) throw new InvalidArgumentError(`expected greedy, sampled or greedy,sampled, got ${list}`);
    return mode;
  });
  return modes.filter((mode) => named.includes(mode));
}

/** @param given whether a person gave the option of that name. @throws Error for one without effect: whoever gave it expects one. */
export function refuseIneffective(isRun: boolean, played: readonly Mode[], given: (name: string) => boolean): void {
  for (const [name, option] of Object.entries(ofDirectories)) {
    if (isRun && given(name))
      throw new Error(`${option}: it has no effect on a run, which is measured on its own tasks; name its checkpoint's directory to measure on others`);
  }
  if (!isRun && given('checkpoint')) throw new Error("--checkpoint: it has no effect on a directory; name a run, or the checkpoint's own directory");
  if (given('family') && given('taskFile')) throw new Error('--family, --task-file: expected one of them, got both; leave one out');
  if (given('checker') && !given('taskFile')) throw new Error('--checker: it has no effect without --task-file; a family has a checker of its own');
  if (given('samples') && !played.includes('sampled'))
    throw new Error('--samples: it has no effect in mode greedy, which always plays the same; add --modes greedy,sampled');
}

const ofDirectories = { taskFile: '--task-file', checker: '--checker', family: '--family', config: '--config' } as const;
