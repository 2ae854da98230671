/**
 * @file Mathematical equivalence of an answer and the expected expression, computed in a worker thread that is killed when an expression takes
 * too long or too much memory: a hostile answer is then simply not equal, and nothing hangs.
 */
import { Worker } from 'node:worker_threads';
import { longestExpression, toLatex } from './mathNotation.ts';
import type { MathQuestion, MathVerdict } from './mathWorker.ts';
import { numbersIn, sameNumber } from './numbers.ts';

export interface MathChecker {
  /** @throws Error when the expected expression cannot be read: the task is broken, not the answer. */
  equal(answer: string, expected: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface MathLimits {
  /** Of one comparison, once the engine is loaded. */
  readonly wallMs: number;
  readonly memoryMiB: number;
}

export function createMathChecker(limits: MathLimits = { wallMs: 10_000, memoryMiB: 512 }): MathChecker {
  return new WorkerMathChecker(limits);
}

/** One comparison at a time, in the order of asking. */
class WorkerMathChecker implements MathChecker {
  readonly #limits: MathLimits;
  #worker: Worker | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #questions = 0;

  constructor(limits: MathLimits) {
    this.#limits = limits;
  }

  async equal(answer: string, expected: string): Promise<boolean> {
    if (answer.trim() === expected.trim()) return true;
    const sure = sameNumbers(answer, expected);
    if (sure) return true;
    if (answer.length > longestExpression) return false;
    const mine = this.#turn.then(() => this.#ask(toLatex(answer), toLatex(expected)));
    this.#turn = mine.catch(() => undefined);
    const verdict = await mine;
    if (verdict?.expectedValid === false) throw new Error(`math checker: expected a readable expression in the task, got ${JSON.stringify(expected)}`);
    return verdict?.equal ?? false;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** Undefined when the comparison did not finish within its limits. */
  async #ask(answer: string, expected: string): Promise<MathVerdict | undefined> {
    this.#worker ??= await startedWorker(this.#limits.memoryMiB);
    const worker = this.#worker;
    this.#questions += 1;
    const question: MathQuestion = { id: this.#questions, answer, expected };
    const verdict = await answered(worker, question, this.#limits.wallMs);
    if (verdict === undefined) await this.close();
    return verdict;
  }
}

function sameNumbers(answer: string, expected: string): boolean {
  return numbersIn(answer).some((value) => numbersIn(expected).some((other) => sameNumber(value, other, 1e-12)));
}

/** Loading the engine takes most of a second and must not count against the expression. */
async function startedWorker(memoryMiB: number): Promise<Worker> {
  const worker = new Worker(new URL('./mathWorker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: memoryMiB } });
  worker.unref();
  const ready = await answered(worker, { id: 0, answer: '1', expected: '1' }, 60_000);
  if (ready === undefined) {
    await worker.terminate();
    throw new Error('math checker: expected the compute engine to load within 60 s; the machine is overloaded or the installation is broken');
  }
  return worker;
}

function answered(worker: Worker, question: MathQuestion, wallMs: number): Promise<MathVerdict | undefined> {
  return new Promise((resolve) => {
    const finish = (verdict: MathVerdict | undefined) => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd);
      resolve(verdict);
    };
    const onMessage = (verdict: MathVerdict) => {
      if (verdict.id === question.id) finish(verdict);
    };
    const onEnd = () => finish(undefined);
    const timer = setTimeout(onEnd, wallMs);
    worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd);
    worker.postMessage(question);
  });
}
