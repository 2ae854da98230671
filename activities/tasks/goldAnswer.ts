/** @file From the answer in a user's file to the checker that judges by it. */

import { parseTurn } from '../../core/rollout/turnFormat.ts';
import type { Checker } from '../../core/tasks/task.ts';
import { numbersIn } from './numbers.ts';
import { excerpt, isRecord, TaskFileError } from './readRows.ts';

export type CheckerKind = 'exact' | 'numeric' | 'math' | 'code';

const relativeTolerance = 1e-6;

/** @throws TaskFileError naming the row, when the answer is none that this checker can judge by. */
export function checkerOf(kind: CheckerKind, answer: unknown, where: string): Checker {
  if (kind === 'code') return { kind, cases: codeCases(answer, where) };
  const text = finalAnswer(answer, where);
  if (kind === 'exact') return { kind, expected: text };
  if (kind === 'math') return { kind, expected: text };
  const [expected] = numbersIn(text);
  if (expected === undefined)
    throw new TaskFileError(`${where}: expected a number as the answer, got ${excerpt(text)}; correct it, or use checker 'exact' or 'math'`);
  return { kind, expected, relativeTolerance };
}

/** The end of a worked solution: behind `####` as in GSM8K, else in \boxed or <answer>; otherwise the whole text. */
function finalAnswer(answer: unknown, where: string): string {
  if (typeof answer === 'number' || typeof answer === 'boolean') return String(answer);
  if (typeof answer !== 'string')
    throw new TaskFileError(`${where}: expected the answer to be a text or a number, got ${excerpt(answer)}; for test cases use checker 'code'`);
  const marked = answer.lastIndexOf('####');
  if (marked !== -1) return answer.slice(marked + 4).trim();
  const parsed = /\\boxed|<answer>/.test(answer) ? parseTurn(answer, 'fences') : undefined;
  return parsed?.kind === 'answer' ? parsed.answer : answer.trim();
}

/** `[{stdin|input, stdout|output}]` or `{inputs: […], outputs: […]}`, as JSON or as a text that holds it. */
function codeCases(answer: unknown, where: string): { readonly stdin: string; readonly stdout: string }[] {
  const value = typeof answer === 'string' ? parsedCases(answer, where) : answer;
  const cases = isRecord(value) && Array.isArray(value['inputs']) && Array.isArray(value['outputs']) ? zipped(value['inputs'], value['outputs'], where) : value;
  const expectation = `${where}: expected test cases as [{"stdin": "…", "stdout": "…"}] or {"inputs": […], "outputs": […]}`;
  if (!Array.isArray(cases) || cases.length === 0) throw new TaskFileError(`${expectation}, got ${excerpt(answer)}; write at least one case`);
  return cases.map((entry: unknown, i) => {
    const [stdin, stdout] = isRecord(entry) ? [entry['stdin'] ?? entry['input'] ?? '', entry['stdout'] ?? entry['output']] : [];
    if (typeof stdin !== 'string' || typeof stdout !== 'string')
      throw new TaskFileError(`${expectation}, got ${excerpt(entry)} as case ${i + 1}; give both as texts`);
    return { stdin, stdout };
  });
}

function parsedCases(answer: string, where: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    throw new TaskFileError(`${where}: expected test cases as JSON, got ${excerpt(answer)}; checker 'code' needs inputs and outputs, not a reference solution`);
  }
}

function zipped(inputs: readonly unknown[], outputs: readonly unknown[], where: string): unknown[] {
  if (inputs.length !== outputs.length)
    throw new TaskFileError(`${where}: expected as many outputs as inputs (${inputs.length}), got ${outputs.length}; complete them`);
  return inputs.map((stdin, i) => ({ stdin, stdout: outputs[i] }));
}
