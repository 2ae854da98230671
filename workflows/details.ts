/** @file Current details of a workflow, as the Temporal UI shows them: Markdown tables. */

export type Column = string | number | undefined;

/** A Markdown table; what has no value yet is a dash. */
export function table(head: readonly string[], rows: readonly (readonly Column[])[]): string {
  const line = (cells: readonly Column[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(value: Column): string {
  if (value === undefined) return '–';
  return String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** Three decimals at most, small numbers by exponent. */
export function figure(value: number | null | undefined): Column {
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value)) return value;
  return Math.abs(value) >= 0.001 ? value.toFixed(3) : value.toExponential(1);
}
