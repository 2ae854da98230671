/** @file One line that says where a run stands: phase, step, reward, solved share, tokens per second, time left. */
import type { Metrics, Progress } from '../../core/run/types.ts';
import { clock } from './duration.ts';

const phaseTitles: { readonly [Phase in Progress['phase']]: string } = {
  preparing: 'preparing',
  warmup: 'warm-up',
  evaluating: 'evaluating held-out tasks',
  rollouts: 'rollouts',
  update: 'update',
  paused: 'paused',
  'waiting-for-operator': 'waiting for an operator',
  completed: 'completed',
  gated: 'stopped at the gate',
  cancelled: 'cancelled',
};

/** What is counted in a phase. Steps run through `rollouts` and `update` in turn, so both count steps. */
export function countOf(progress: Progress): { readonly unit: 'warm-up step' | 'step'; readonly done: number; readonly total: number } | undefined {
  const { phase, step, steps, warmupStep, warmupSteps } = progress;
  if (phase === 'warmup') return { unit: 'warm-up step', done: warmupStep, total: warmupSteps };
  return phase === 'rollouts' || phase === 'update' ? { unit: 'step', done: step, total: steps } : undefined;
}

export function progressLine(progress: Progress, secondsLeft: number | undefined, barWidth: number): string {
  const count = countOf(progress);
  const parts = [phaseTitles[progress.phase].padEnd(9)];
  if (count) parts.push(`${bar(count.done / count.total, barWidth)}${count.unit} ${count.done}/${count.total}`);
  parts.push(...figures(progress.metrics));
  if (secondsLeft !== undefined) parts.push(`${clock(secondsLeft)} left in this phase`);
  if (progress.reason) parts.push(progress.reason);
  if (progress.phase === 'paused') parts.push(`→ in another terminal: npm run control -- resume ${progress.run}`);
  if (progress.phase === 'waiting-for-operator') parts.push(`→ remove the cause, then in another terminal: npm run control -- resume ${progress.run}`);
  return parts.join('  ');
}

function figures(metrics: Metrics): string[] {
  const shown = [
    ['reward', metrics['reward/mean'], (value: number) => value.toFixed(3)],
    ['solved', metrics['solved/mean'], (value: number) => `${(100 * value).toFixed(0)} %`],
    ['loss', metrics['reward/mean'] === undefined ? metrics['loss'] : undefined, (value: number) => value.toFixed(3)],
    ['tokens/s', metrics['rollouts/tokens_per_second'], (value: number) => value.toFixed(0)],
  ] as const;
  return shown.flatMap(([name, value, format]) => (value === undefined ? [] : [`${name} ${format(value)}`]));
}

function bar(share: number, width: number): string {
  if (width === 0) return '';
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} `;
}
