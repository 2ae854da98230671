/**
 * @file The text that goes back to the policy after a turn. A pure function of the execution that leaves out whatever differs from one run
 * of the same code to the next (durations, memory addresses), so that a replayed turn reads exactly as the first time.
 */
import type { ExecutionResult } from './types.ts';

export interface ObservationRule {
  /** `terse`: the value, or the exception's name, in the words of the `tags` vocabulary. `full`: output, value and traceback. */
  readonly observationStyle: 'terse' | 'full';
  /** Longest observation, without the marker of a cut. */
  readonly observationCharacters: number;
}

/** The part of an execution that a policy may see. */
export type VisibleExecution = Pick<ExecutionResult, 'exitCode' | 'stdout' | 'stderr' | 'value' | 'errorType' | 'timedOut' | 'outOfMemory' | 'truncated'>;

export function observationOf(rule: ObservationRule, execution: VisibleExecution): string {
  return rule.observationStyle === 'terse' ? terse(execution, rule.observationCharacters) : full(execution, rule.observationCharacters);
}

/** What a policy is told after a turn that was neither code nor an answer. Terse: in the vocabulary of every family. */
export function observationOfMalformed(reason: string, style: ObservationRule['observationStyle'] = 'terse'): string {
  return style === 'terse' ? 'SyntaxError' : `SyntaxError: ${reason}`;
}

const terseErrors = new Set(['KeyError', 'NameError', 'TypeError', 'SyntaxError']);
const syntaxErrors = new Set(['SyntaxError', 'IndentationError', 'TabError']);

/** Python's own names for code that does not parse. */
export function isSyntaxError(errorType: string | undefined): boolean {
  return errorType !== undefined && syntaxErrors.has(errorType);
}

/** Only texts that the 98-token vocabulary can spell. */
function terse(execution: VisibleExecution, characters: number): string {
  const { errorType, value } = execution;
  if (isSyntaxError(errorType)) return 'SyntaxError';
  if (errorType !== undefined) return terseErrors.has(errorType) ? errorType : 'Error';
  if (failed(execution)) return 'Error';
  if (value !== undefined && !/^[-\d'"]/.test(value) && !/^(True|False)$/.test(value)) return 'TypeError';
  const shown = value ?? execution.stdout.trim();
  if (shown === '') return 'none';
  const kept = shown.slice(0, characters);
  return /^[0-9a-z'()+\-*,. ]+$/.test(kept) ? kept : 'Error';
}

function full(execution: VisibleExecution, characters: number): string {
  const parts = [execution.stdout.trimEnd(), execution.value ?? '', failed(execution) ? failureText(execution) : ''];
  const text = withoutAddresses(parts.filter((part) => part !== '').join('\n'));
  const marked = execution.truncated ? `${text}\n[output cut]` : text;
  return marked === '' ? '(no output)' : cut(marked, characters);
}

function failed(execution: VisibleExecution): boolean {
  return execution.timedOut || execution.outOfMemory || execution.exitCode !== 0;
}

/** The end of the traceback says what went wrong; its beginning is about how the cell was started. */
function failureText(execution: VisibleExecution): string {
  if (execution.timedOut) return 'TimeoutError: the code ran too long and was stopped';
  if (execution.outOfMemory) return 'MemoryError: the code used too much memory and was stopped';
  const tail = execution.stderr.trimEnd().split('\n').slice(-8).join('\n');
  return tail === '' ? (execution.errorType ?? 'Error: the code was stopped') : tail;
}

function withoutAddresses(text: string): string {
  return text.replace(/\b0x[0-9a-f]{5,16}\b/gi, '0x…');
}

/** Keeps both ends: results come last, and what was printed first says what they are. */
function cut(text: string, characters: number): string {
  const points = [...text];
  if (points.length <= characters) return text;
  const head = Math.floor(characters / 2);
  const tail = characters - head;
  const left = points.length - characters;
  return `${points.slice(0, head).join('')}\n[… ${left} characters cut …]\n${points.slice(points.length - tail).join('')}`;
}
