/** @file avg@k and pass@k of evaluations, and the difference of two on the same tasks, with their 95 % intervals (bootstrap over tasks). */
import { type Estimate, estimateOf, type PerTask, pairedDifference } from '../../core/run/passAtK.ts';
import type { EvaluationResult } from '../../core/run/types.ts';
import { alignedTable } from './evaluationTable.ts';

type Row = readonly [mode: string, figure: string, estimate: Estimate | undefined];

export function passTable(results: readonly EvaluationResult[]): string {
  return tableOf(
    'figure',
    results.flatMap(({ mode, perTask }): Row[] => (perTask ? figures(perTask).map(([k, name]) => [mode, name, estimateOf(perTask, k)]) : [])),
  );
}

export function differenceTable(before: readonly EvaluationResult[], after: readonly EvaluationResult[]): string {
  return tableOf(
    'difference',
    differences(before, after).map(({ mode, figure, ...estimate }) => [mode, figure, estimate]),
  );
}

/** `after` − `before`, mode by mode, over the tasks that both have played. */
export function differences(before: readonly EvaluationResult[], after: readonly EvaluationResult[]): ({ mode: string; figure: string } & Estimate)[] {
  return after.flatMap(({ mode, perTask }) => {
    const first = before.find((result) => result.mode === mode)?.perTask;
    if (!perTask || !first) return [];
    return figures(perTask).flatMap(([k, figure]) => {
      const estimate = pairedDifference(first, perTask, k);
      return estimate ? [{ mode, figure, ...estimate }] : [];
    });
  });
}

/** avg@n (0), then pass@k for the powers of two up to n samples; of one sample pass@1 says it all. */
function figures({ counted }: PerTask): [number, string][] {
  const most = Math.max(0, ...counted);
  const powers = [1, 2, 4, 8, 16, 32, 64].filter((k) => k <= most);
  return [...(most > 1 ? [[0, `avg@${most}`] as [number, string]] : []), ...powers.map((k): [number, string] => [k, `pass@${k}`])];
}

function tableOf(head: string, rows: readonly Row[]): string {
  const cells = rows.flatMap(([mode, name, estimate]) =>
    estimate ? [[mode, name, estimate.value.toFixed(3), `${estimate.low.toFixed(3)} … ${estimate.high.toFixed(3)}`, String(estimate.tasks)]] : [],
  );
  return alignedTable([['mode', head, 'value', '95 % interval', 'tasks'], ...cells]);
}
