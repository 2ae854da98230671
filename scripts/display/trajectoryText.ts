/** @file One trajectory for the terminal: what the policy wrote, what came back, how it ended. */
import type { Trajectory, TrajectoryTurn } from '../../core/rollout/trajectory.ts';

export function trajectoryText({ taskId, prompt, turns, outcome, stopReason, outcomeReward, failure }: Trajectory): string {
  const end = `${outcome} (${stopReason}), reward ${outcomeReward ?? 'none'}${failure ? `: ${failure}` : ''}`;
  return [`── ${taskId}`, prompt, ...turns.flatMap(turnLines), `= ${end}`, ''].join('\n');
}

function turnLines({ turn, text, observation, formatViolation, replayed }: TrajectoryTurn): string[] {
  const marks = [...(formatViolation ? ['format violation'] : []), ...(replayed ? ['replayed'] : [])];
  const said = `${turn + 1} › ${indented(text)}${marks.length > 0 ? `   [${marks.join(', ')}]` : ''}`;
  return observation === undefined ? [said] : [said, `  ‹ ${indented(observation)}`];
}

function indented(text: string): string {
  return text.trimEnd().replaceAll('\n', '\n    ');
}
