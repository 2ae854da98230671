/** @file From the answer in a user's file to the checker that judges by it. */

import { parseTurn } from '../../core/rollout/turnFormat.ts';
import type { Checker } from '../../core/tasks/task.ts';
import { numbersIn } from './numbers.ts';
import { excerpt, isRecord, TaskFileError } from './readRows.ts';

export type CheckerKind = 'exact' | 'numeric' | 'math' | 'code';

const relativeTolerance = 1e-6;

/** @throws TaskFileError naming the row, when the answer is none that this checker can judge by. */
export function checkerOf(kind: CheckerKind, answer: unknown, where: string): Checker {
  if (kind === 'code') return codeChecker(answer, where);
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

const casesExpectation =
  'expected test cases as [{"stdin": "…", "stdout": "…"}], {"inputs": […], "outputs": […]}, or, with the name of a function, {"fn_name": "…", "inputs": […], "outputs": […]}';

/** `[{stdin|input, stdout|output}]` or `{inputs: […], outputs: […]}`, as JSON or as a text that holds it; with `fn_name` inputs are lists of arguments. */
function codeChecker(answer: unknown, where: string): Checker {
  const value = typeof answer === 'string' ? parsedCases(answer, where) : answer;
  const pairs = isRecord(value) && Array.isArray(value['inputs']) && Array.isArray(value['outputs']) ? zipped(value['inputs'], value['outputs'], where) : value;
  if (!Array.isArray(pairs) || pairs.length === 0) throw new TaskFileError(`${where}: ${casesExpectation}, got ${excerpt(answer)}; write at least one case`);
  const entry = isRecord(value) ? value['fn_name'] : undefined;
  if (entry === undefined || entry === null) return { kind: 'code', cases: pairs.map((pair: unknown, i) => textCase(pair, i, where)) };
  if (typeof entry !== 'string' || !/^[A-Za-z_]\w*$/.test(entry))
    throw new TaskFileError(`${where}: expected fn_name to be the name of a Python function, got ${excerpt(entry)}; correct it`);
  return { kind: 'code', entry, cases: pairs.map((pair: unknown, i) => callCase(pair, i, where)) };
}

function textCase(pair: unknown, i: number, where: string): { stdin: string; stdout: string } {
  const [stdin, stdout] = isRecord(pair) ? [pair['stdin'] ?? pair['input'] ?? '', pair['stdout'] ?? pair['output']] : [];
  if (typeof stdin !== 'string' || typeof stdout !== 'string')
    throw new TaskFileError(`${where}: ${casesExpectation}, got ${excerpt(pair)} as case ${i + 1}; give both as texts`);
  return { stdin, stdout };
}

function callCase(pair: unknown, i: number, where: string): { stdin: string; stdout: string } {
  const { stdin, stdout } = pair as { stdin: unknown; stdout: unknown };
  if (!Array.isArray(stdin) || stdout === undefined)
    throw new TaskFileError(`${where}: expected input ${i + 1} of a function to be a list of its arguments, got ${excerpt(stdin)}; write [[1, 2], …]`);
  return { stdin: JSON.stringify(stdin), stdout: JSON.stringify(stdout) };
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
