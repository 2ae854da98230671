/** @file What `evaluate` prints: each policy with the weights that played, and the difference of two. */
import type { EvaluationResult } from '../../core/run/types.ts';
import { evaluationTable } from './evaluationTable.ts';
import { differenceTable, passTable } from './passTable.ts';

export interface Evaluated {
  /** As a person named it. */
  readonly name: string;
  /** One a mode, all with the same weights. */
  readonly results: readonly EvaluationResult[];
}

export function resultsText(evaluated: Evaluated): string {
  return `${titleOf(evaluated)}\n${evaluationTable(evaluated.results, [])}\n\n${passTable(evaluated.results)}`;
}

export function comparisonText(ours: Evaluated, theirs: Evaluated): string {
  const difference = `${titleOf(ours)} − ${titleOf(theirs)}\n${differenceTable(theirs.results, ours.results)}`;
  return [resultsText(ours), resultsText(theirs), difference].join('\n\n');
}

function titleOf({ name, results }: Evaluated): string {
  return `${name} with ${results[0]?.weights ?? 'float32'}`;
}
