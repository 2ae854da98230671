/** @file What a sandbox worker and an interpreter process say to one another. The process answers every request once, in order; `interrupt` has no answer. */

export type Request =
  /** A fresh session with the task's setup run in it. */
  | { readonly op: 'open'; readonly id: number; readonly sandbox: string; readonly setup: string; readonly memoryBytes: number; readonly outputBytes: number }
  | {
      readonly op: 'cell';
      readonly id: number;
      readonly sandbox: string;
      readonly code: string;
      readonly stdin: string;
      readonly memoryBytes: number;
      readonly outputBytes: number;
    }
  | { readonly op: 'close'; readonly id: number; readonly sandbox: string };

export interface Interrupt {
  readonly op: 'interrupt';
  /** The request that is to be stopped; ignored when it has ended. */
  readonly id: number;
}

/** How a cell ended. `returned`: by itself, raising included. The others unwound the interpreter, and memory was put back. */
export type Ending = 'returned' | 'interrupted' | 'outOfMemory' | 'exited' | 'crashed' | 'violation';

export interface CellAnswer {
  readonly ending: Ending;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly value?: string;
  readonly errorType?: string;
  readonly truncated: boolean;
  /** The process still holds the session, in the state after the cell when it returned and before it when it did not. */
  readonly held: boolean;
}

export type Answer =
  | ({ readonly id: number; readonly op: 'cell' } & CellAnswer)
  /** The session is not (or no longer) in this process; the caller opens it again and replays. */
  | { readonly id: number; readonly op: 'unknown' }
  | { readonly id: number; readonly op: 'closed' };

/** Sent once, unasked, when the interpreter is loaded. */
export interface Ready {
  readonly op: 'ready';
}

const endings: readonly unknown[] = ['returned', 'interrupted', 'outOfMemory', 'exited', 'crashed', 'violation'] satisfies readonly Ending[];

function isOptionalString(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

/** @throws Error when the message is not the answer to request `id`; the process is not to be trusted any more. */
export function parseAnswer(message: unknown, id: number): Answer {
  const answer = message as Partial<Record<string, unknown>> | null;
  if (typeof answer !== 'object' || answer === null || answer['id'] !== id) throw new Error(`interpreter: expected an answer to request ${id}, got another`);
  if (answer['op'] === 'unknown' || answer['op'] === 'closed') return answer as Answer;
  const valid =
    answer['op'] === 'cell' &&
    endings.includes(answer['ending']) &&
    (answer['exitCode'] === null || Number.isInteger(answer['exitCode'])) &&
    typeof answer['stdout'] === 'string' &&
    typeof answer['stderr'] === 'string' &&
    isOptionalString(answer['value']) &&
    isOptionalString(answer['errorType']) &&
    typeof answer['truncated'] === 'boolean' &&
    typeof answer['held'] === 'boolean';
  if (!valid) throw new Error(`interpreter: expected a well-formed answer to request ${id}, got op ${JSON.stringify(answer['op'])}`);
  return answer as Answer;
}
