/** @file A task: what is to be solved, how it is checked, and within which limits. Plain data, so that it can be made again from its reference. */

import type { Random } from '../random.ts';
import type { Split, TaskRef } from '../rollout/types.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

/** How a trajectory of the task is judged. Carried out by activities/tasks/check.ts (some need libraries or a sandbox). */
export type Checker =
  /** The answer, trimmed, is the expected text. */
  | { readonly kind: 'exact'; readonly expected: string }
  | { readonly kind: 'numeric'; readonly expected: number; readonly relativeTolerance: number }
  /** Mathematical equivalence of two expressions (LaTeX or plain). */
  | { readonly kind: 'math'; readonly expected: string }
  /**
   * The answer is a program: each case's input on stdin, its output compared on the host. With `entry` it defines that function: stdin is a JSON list of its arguments,
   * stdout the JSON of what it returns.
   */
  | { readonly kind: 'code'; readonly cases: readonly { readonly stdin: string; readonly stdout: string }[]; readonly entry?: string }
  /** Some turn's code probed the secret number (family `search`). */
  | { readonly kind: 'probe'; readonly secret: number };

export interface Task {
  readonly ref: TaskRef;
  readonly id: string;
  readonly family: string;
  /** What the policy is told, before its first turn. */
  readonly messages: readonly Message[];
  /** Python that defines the task's tools; runs silently when the sandbox opens. Empty where there are none. */
  readonly setup: string;
  readonly checker: Checker;
  readonly maxTurns: number;
  readonly toolRequired: boolean;
  /** How an execution is shown to the policy. `terse`: the value, or the exception's name; `full`: output, value and traceback. */
  readonly observationStyle: 'terse' | 'full';
  readonly observationCharacters: number;
  /** An observation equal to this text ends the trajectory (family `search`: `'hit'`). */
  readonly endsOn?: string;
  /** No honest answer solves it: whoever does has found a way around the checker. */
  readonly honeypot?: true;
}

/** A procedural family: disjoint train and held-out tasks made from an index. Options are the family's own and validated by it. */
export interface TaskFamily<Options = unknown> {
  readonly name: string;
  /** One line for `--help` and docs. */
  readonly description: string;
  /** @throws Error naming the option, what was expected and what it got. */
  readonly parseOptions: (options: Readonly<Record<string, unknown>>) => Options;
  /** A draw; the caller draws again until `splitOf(prompt)` is the split it wants. */
  readonly make: (random: Random, options: Options) => DraftTask;
  /** Options of the tasks that demonstrations are drawn from, where they differ (an easier mix, to learn copying first). */
  readonly warmupOptions?: (options: Options) => Options;
  /** For a family whose prompt says nothing about the task: there is no split by prompt, and held-out tasks enumerate what can be hidden. */
  readonly heldOutAt?: (index: number, options: Options) => DraftTask;
}

export interface DraftTask extends Omit<Task, 'ref' | 'id'> {
  /** One demonstration. `flawless` has no error; otherwise the family's systematic and random errors are drawn. */
  readonly demonstrate: (random: Random, flawless: boolean) => readonly DemonstrationTurn[];
}

/** What the demonstrator wrote, and what the tool would answer (absent after an answer). `text` is in the `tags` turn format. */
export interface DemonstrationTurn {
  readonly text: string;
  readonly observation?: string;
}

export type { Split };
