/** @file The curves of a run: which metrics are shown, in which words, and as how many points. */
import type { MetricsLine } from '../lines.ts';
import { figure, percent, scientific, wholePercent } from './figures.ts';

export interface Curve {
  readonly metric: string;
  readonly title: string;
  /** One line for people who do not know the name. */
  readonly meaning: string;
  readonly format: (value: number) => string;
  /** Of the axis; `format` where it is the same. */
  readonly axisFormat?: (value: number) => string;
  /** Fixed ends of the axis; without them the data decide. */
  readonly range?: readonly [number, number];
}

export const solvedCurve: Curve = {
  metric: 'solved/mean',
  title: 'Solved share',
  meaning: 'of the training rollouts of a step; dots with bars are held-out evaluations',
  format: percent,
  axisFormat: wholePercent,
  range: [0, 1],
};

export const curves: readonly Curve[] = [
  { metric: 'reward/mean', title: 'Reward', meaning: 'mean: outcome, format and shaping', format: figure },
  { metric: 'entropy', title: 'Entropy', meaning: 'nats a token; at 0 nothing new is tried', format: figure },
  { metric: 'clip_ratio', title: 'Clip fraction', meaning: 'tokens whose ratio was clipped', format: percent },
  { metric: 'kl', title: 'KL', meaning: 'k3, policy from the one that sampled', format: scientific },
  { metric: 'kl_to_reference', title: 'KL to the reference', meaning: 'k3, policy from the one that training began with', format: scientific },
  { metric: 'num_turns/mean', title: 'Turns', meaning: 'mean of a rollout', format: figure },
  { metric: 'rollouts/tokens_per_second', title: 'Tokens per second', meaning: 'sampled while rollouts were played', format: figure },
  {
    metric: 'sampling/sampling_logp_difference/max',
    title: 'Gate difference',
    meaning: 'largest gap between sampler and trainer log-probability',
    format: figure,
  },
  {
    metric: 'frac_reward_zero_std',
    title: 'Groups without spread',
    meaning: 'all siblings earned the same',
    format: percent,
    axisFormat: wholePercent,
    range: [0, 1],
  },
  { metric: 'grad_norm', title: 'Gradient norm', meaning: 'before clipping', format: figure },
];

export interface Point {
  readonly fromStep: number;
  readonly toStep: number;
  readonly value: number;
}

/** At most this many points a curve: more cannot be told apart, and a long run's page stays small. */
const mostPoints = 160;

/** Means over equal stretches of steps; steps without the metric are left out. */
export function pointsOf(steps: readonly MetricsLine[], metric: string): readonly Point[] {
  const stretch = Math.ceil(steps.length / mostPoints);
  const points: Point[] = [];
  for (let i = 0; i < steps.length; i += stretch) {
    const lines = steps.slice(i, i + stretch);
    const values = lines.flatMap((line) => (typeof line[metric] === 'number' ? [line[metric]] : []));
    if (values.length === 0) continue;
    const value = values.reduce((sum, one) => sum + one, 0) / values.length;
    points.push({ fromStep: lines[0]?.step ?? 0, toStep: lines.at(-1)?.step ?? 0, value });
  }
  return points;
}

/** Centred moving average over about a tenth of the points: the trend behind the noise. */
export function smoothed(points: readonly Point[]): readonly number[] {
  const half = Math.floor(points.length / 20);
  return points.map((_, i) => {
    const around = points.slice(Math.max(0, i - half), i + half + 1);
    return around.reduce((sum, { value }) => sum + value, 0) / around.length;
  });
}
