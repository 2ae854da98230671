/** @file Progress of a scout as lines, each said once, and its summary. */
import { dollarsOf, grouped, sumOfUsage, tokensOf } from '../../core/scout/budget.ts';
import type { ModelChoice, ScoutProgress, ScoutResult } from '../../core/scout/run.ts';

export class ScoutDisplay {
  readonly #tell: (line: string) => void;
  #shown = '';

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  update(progress: ScoutProgress | undefined): void {
    const line = progress && progressText(progress);
    if (line === undefined || line === this.#shown) return;
    this.#shown = line;
    this.#tell(line);
  }
}

export function progressText({ phase, files, commit, targets, notes }: ScoutProgress): string {
  const count = (...states: readonly string[]) => targets.filter(({ state }) => states.includes(state)).length;
  const where = files === undefined ? '' : `${grouped(files)} files${commit ? ` at ${commit.slice(0, 12)}` : ''}`;
  const found = targets.length === 0 ? '' : `${targets.length} targets found`;
  const analyzed = targets.filter(({ finding, state }) => finding !== undefined || state === 'dropped').length;
  const progress = phase === 'analyzing' || analyzed > 0 ? `${analyzed} analysed, ${count('kept')} kept` : '';
  return [phase.padEnd(12), where, found, progress, notes.at(-1) ?? '']
    .filter((part) => part.trim() !== '')
    .join('  ')
    .trimEnd();
}

export function summaryOf({ phase, targets, unresolved, usage, notes }: ScoutResult, model: ModelChoice | null): string {
  const total = sumOfUsage(usage.scope, usage.analyze, usage.synthesize);
  const dollars = dollarsOf(total, model?.price);
  const cost = dollars === undefined ? '' : `, $${dollars.toFixed(4)}`;
  const calls = model === null ? 'no model call' : `${total.calls} model calls, ${grouped(tokensOf(total))} tokens${cost}`;
  const judged = model === null ? '' : `, ${targets.analyzed} analysed, ${targets.kept} kept`;
  const removed = unresolved === 0 ? '' : `, ${unresolved} unknown names removed`;
  const head = phase === 'completed' ? 'done' : 'done in part';
  return [`${head}: ${targets.found} targets found${judged}${removed}; ${calls}`, ...notes.map((note) => `  missing: ${note}`)].join('\n');
}
