/** @file Did it work: held-out shares before and after training, with intervals, and one sentence. */
import type { EvaluationLine } from '../lines.ts';
import { differenceInterval, type Interval, percent, wilson } from './figures.ts';

export interface Comparison {
  readonly mode: 'greedy' | 'sampled';
  readonly before: EvaluationLine;
  /** undefined while the run has been evaluated only once. */
  readonly after: EvaluationLine | undefined;
  /** Of after − before. */
  readonly difference: { readonly value: number; readonly interval: Interval } | undefined;
}

export function comparisons(evaluations: readonly EvaluationLine[]): readonly Comparison[] {
  return (['greedy', 'sampled'] as const).flatMap((mode) => {
    const ofMode = evaluations.filter((evaluation) => evaluation.mode === mode);
    const [before, after] = [ofMode[0], ofMode.length > 1 ? ofMode.at(-1) : undefined];
    return before === undefined ? [] : [{ mode, before, after, difference: after && differenceOf(before, after) }];
  });
}

function differenceOf(before: EvaluationLine, after: EvaluationLine): NonNullable<Comparison['difference']> {
  const counts = ({ solved, counted }: EvaluationLine) => ({ hits: solved, count: counted });
  return { value: after.solvedShare - before.solvedShare, interval: differenceInterval(counts(before), counts(after)) };
}

export function intervalOf({ solved, counted }: EvaluationLine): Interval {
  return wilson(solved, counted);
}

/** Sampled answers are what training optimises, so they decide; greedy ones where there are no others. */
export function verdict(all: readonly Comparison[]): string {
  const chosen = all.find(({ mode }) => mode === 'sampled') ?? all[0];
  if (chosen === undefined) return 'Not evaluated yet.';
  const { before, after, difference, mode } = chosen;
  if (after === undefined || difference === undefined)
    return `${percent(before.solvedShare)} of held-out tasks solved (${mode}) before training; no evaluation after it yet.`;
  const range = `from ${percent(before.solvedShare)} to ${percent(after.solvedShare)} of held-out tasks solved (${mode})`;
  if (difference.interval.low > 0) return `It worked: ${range}.`;
  if (difference.interval.high < 0) return `It got worse: ${range}.`;
  return `No clear change: ${range}; the 95 % interval of the difference includes zero.`;
}
