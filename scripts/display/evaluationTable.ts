/** @file Held-out results; where there are two of a mode, before and after, side by side. */
import type { EvaluationResult } from '../../core/run/types.ts';

export function evaluationTable(before: readonly EvaluationResult[], after: readonly EvaluationResult[]): string {
  if (after.length === 0) {
    const rows = before.map((one) => [one.mode, shareText(one), one.meanTurns.toFixed(1), String(one.tasks)]);
    return alignedTable([['held-out tasks', 'solved', 'turns', 'tasks'], ...rows]);
  }
  const rows = before.map((first) => {
    const last = after.find(({ mode }) => mode === first.mode);
    return [
      first.mode,
      shareText(first),
      last ? shareText(last) : '–',
      first.meanTurns.toFixed(1),
      last ? last.meanTurns.toFixed(1) : '–',
      String(first.tasks),
    ];
  });
  const head = ['held-out tasks', 'solved before', 'solved after', 'turns before', 'turns after', 'tasks'];
  return alignedTable([head, ...rows]);
}

function shareText({ solvedShare, standardError }: EvaluationResult): string {
  return `${solvedShare.toFixed(3)} ± ${standardError.toFixed(3)}`;
}

/** Columns padded to their widest cell; the first row is the head. */
export function alignedTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('  ')}`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
