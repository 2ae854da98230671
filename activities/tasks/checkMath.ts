/**
 * @file Mathematical equivalence of an answer and the expected expression, computed in a worker thread that is killed when an expression takes
 * too much processor time or memory: a hostile answer is then simply not equal, and nothing hangs. A thread that got no processor, or ended
 * for a reason of its own, says nothing about the answer: that is an error, and asked again.
 */
import { Worker } from 'node:worker_threads';
import { limitProcessorTime, threadMs } from '../processorTime.ts';
import { longestExpression, toLatex } from './mathNotation.ts';
import type { MathQuestion, MathVerdict } from './mathWorker.ts';
import { numbersIn, sameNumber } from './numbers.ts';

export interface MathChecker {
  /** @throws Error when the expected expression cannot be read, or when the thread could not do its work: neither is the answer's fault. */
  equal(answer: string, expected: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface MathLimits {
  /** Processor time of one comparison, once the engine is loaded. */
  readonly processorMs: number;
  readonly memoryMiB: number;
}

export function createMathChecker(limits: MathLimits = { processorMs: 10_000, memoryMiB: 512 }): MathChecker {
  return new WorkerMathChecker(limits);
}

/** Every one names its threads differently, to find their processor time. */
let checkers = 0;

/** One comparison at a time, in the order of asking. */
class WorkerMathChecker implements MathChecker {
  readonly #limits: MathLimits;
  readonly #threadName = `math ${++checkers}`;
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

  /** Undefined when the comparison was more than its limits allow. */
  async #ask(answer: string, expected: string): Promise<MathVerdict | undefined> {
    this.#worker ??= await startedWorker(this.#threadName, this.#limits.memoryMiB);
    const worker = this.#worker;
    this.#questions += 1;
    const question: MathQuestion = { id: this.#questions, answer, expected };
    try {
      const verdict = await answered(worker, question, { name: this.#threadName, limitMs: this.#limits.processorMs });
      if (verdict === undefined) await this.close();
      return verdict;
    } catch (error) {
      await this.close();
      throw error;
    }
  }
}

function sameNumbers(answer: string, expected: string): boolean {
  return numbersIn(answer).some((value) => numbersIn(expected).some((other) => sameNumber(value, other, 1e-12)));
}

/** Loading the engine takes most of a second and must not count against the expression. */
async function startedWorker(name: string, memoryMiB: number): Promise<Worker> {
  const worker = new Worker(new URL('./mathWorker.ts', import.meta.url), { name, resourceLimits: { maxOldGenerationSizeMb: memoryMiB } });
  worker.unref();
  const ready = await answered(worker, { id: 0, answer: '1', expected: '1' }, { name, limitMs: loadingMs });
  if (ready === undefined) {
    await worker.terminate();
    throw new Error(`math checker: expected the compute engine to load within ${loadingMs / 1000} s of processor time; is the installation broken?`);
  }
  return worker;
}

const loadingMs = 60_000;

/** Undefined when the comparison used up its time or memory. @throws Error when the thread was starved or ended by itself. */
function answered(
  worker: Worker,
  question: MathQuestion,
  { name, limitMs }: { readonly name: string; readonly limitMs: number },
): Promise<MathVerdict | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: MathVerdict | Error | undefined) => {
      callOff();
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onMessage = (verdict: MathVerdict) => {
      if (verdict.id === question.id) settle(verdict);
    };
    const onError = (error: NodeJS.ErrnoException) =>
      settle(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? undefined : new Error(`math checker: expected a verdict, its thread failed: ${error.message}`));
    const onExit = (code: number) => settle(new Error(`math checker: expected a verdict, its thread ended with code ${code}`));
    const callOff = limitProcessorTime({
      limitMs,
      used: () => threadMs(name),
      onSpent: () => settle(undefined),
      onStarved: () =>
        settle(new Error(`math checker: its thread hardly got a processor within ${Math.round(performance.now() - asked)} ms; the machine is overloaded`)),
    });
    const asked = performance.now();
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(question);
  });
}
