/** @file Activity `execute`: one cell of a rollout in its sandbox, and the observation that the policy reads. Code that fails is a result; only a broken box is an error. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { observationOf } from '../core/rollout/observation.ts';
import type { ExecuteInput, ExecuteResult, ExecutionResult } from '../core/rollout/types.ts';
import type { RunConfig } from '../core/run/config.ts';
import type { Task } from '../core/tasks/task.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import type { Backends } from './sandbox/backends.ts';
import { SandboxBroken, SandboxUnavailable } from './sandbox/sandbox.ts';
import { type HeldSandbox, type SandboxPlace, type SandboxTable, SandboxTableFull } from './sandbox/table.ts';
import type { SandboxActivities } from './signatures.ts';
import type { TaskSources } from './tasks/taskSources.ts';

export interface ExecuteDependencies {
  readonly backends: Backends;
  readonly table: SandboxTable;
  readonly store: ArtifactStore;
  /** This worker's own queue, where later turns of a rollout find its sandbox. */
  readonly taskQueue: string;
  readonly sources: (run: string) => Promise<Pick<TaskSources, 'task'>>;
  readonly config: (run: string) => Promise<Pick<RunConfig, 'limits' | 'sandbox'>>;
}

/** What heartbeats carry, for whoever looks at a pending activity. */
type Phase = `waiting for a sandbox, ${number} in the queue` | 'opening' | `replaying ${number} of ${number}` | 'running';

interface Attempt {
  readonly input: ExecuteInput;
  readonly code: string;
  readonly task: Task;
  readonly signal: AbortSignal;
  readonly report: (phase: Phase) => void;
}

export function createExecute(dependencies: ExecuteDependencies): SandboxActivities['execute'] {
  const taskOf = rememberedTasks(dependencies.sources);
  return (input) =>
    heartbeating(async (signal, report) => {
      const [code, task] = await Promise.all([dependencies.store.fromText(input.code), taskOf(input)]);
      const attempt = { input, code, task, signal, report: (phase: Phase) => report({ phase }) };
      try {
        return await dependencies.table.use(ownerOf(input), (place) => execute(dependencies, attempt, place));
      } catch (error) {
        throw failureOf(error);
      }
    });
}

/** Tasks in progress at a time, with room to spare. */
const tasksToRemember = 256;

/** Making a task costs as much as running a cell of it, and its siblings ask for it at every turn. */
function rememberedTasks(sources: ExecuteDependencies['sources']): (input: ExecuteInput) => Promise<Task> {
  const remembered = new Map<string, { readonly task: Task; readonly source: unknown }>();
  return async ({ run, task: ref }) => {
    const source = await sources(run);
    const key = JSON.stringify([run, ref.source, ref.split, ref.index]);
    const known = remembered.get(key);
    // Of a run that was made anew under its name the sources are others.
    const entry = known?.source === source ? known : { task: source.task(ref), source };
    remembered.delete(key);
    remembered.set(key, entry);
    const [oldest] = remembered.keys();
    if (remembered.size > tasksToRemember && oldest !== undefined) remembered.delete(oldest);
    return entry.task;
  };
}

/** The workflow's run is part of it: a workflow that is run again under its old id starts with sandboxes of its own. */
function ownerOf(input: ExecuteInput): string {
  return `${Context.current().info.workflowExecution?.runId ?? ''} ${input.rollout}`;
}

async function execute(dependencies: ExecuteDependencies, attempt: Attempt, place: SandboxPlace): Promise<ExecuteResult> {
  const { input, code } = attempt;
  const answered = place.held?.last;
  if (answered !== undefined && answered.turn === input.turn && answered.code === code) return answered.result;
  const { held, replayed } = await sessionFor(dependencies, attempt, place);
  attempt.report('running');
  const execution = await orDrop(place, () => held.sandbox.execute(code, attempt.signal));
  const committed = execution.exitCode !== null;
  if (committed) held.committedCells += 1;
  const result = await resultOf(dependencies, attempt, held, execution, { replayed, committed });
  held.last = { turn: input.turn, code, result };
  return result;
}

/** The rollout's own session when it is here and has run exactly the committed cells; else a new one in which they are run again. */
async function sessionFor(dependencies: ExecuteDependencies, attempt: Attempt, place: SandboxPlace): Promise<{ held: HeldSandbox; replayed: boolean }> {
  const { input, task, signal, report } = attempt;
  const { held } = place;
  const isAsked = input.sandbox === undefined || input.sandbox.id === held?.sandbox.id;
  if (held !== undefined && isAsked && held.committedCells === input.committedCells.length) return { held, replayed: false };
  await place.drop();
  report('opening');
  const { limits, sandbox: asked } = await dependencies.config(input.run);
  const backend = dependencies.backends.of(asked);
  const start = () => backend.open({ owner: input.rollout, setup: task.setup, rollback: asked.rollback, limits: limits.execution, signal });
  const opened = await place.open(start, signal, (ahead) => report(`waiting for a sandbox, ${ahead} in the queue`));
  const cells = await Promise.all(input.committedCells.map((cell) => dependencies.store.fromText(cell)));
  for (const [index, cell] of cells.entries()) {
    report(`replaying ${index + 1} of ${cells.length}`);
    const execution = await orDrop(place, () => opened.sandbox.execute(cell, signal));
    if (execution.exitCode === null) {
      await place.drop();
      throw new SandboxBroken(
        `replay of ${input.rollout}: expected committed cell ${index + 1} to run to its end again, it was killed (${execution.errorType ?? 'no reason given'})`,
      );
    }
    opened.committedCells += 1;
  }
  return { held: opened, replayed: cells.length > 0 };
}

async function resultOf(
  { store, backends, config, taskQueue }: ExecuteDependencies,
  { input, task }: Attempt,
  { sandbox }: HeldSandbox,
  execution: ExecutionResult,
  how: { readonly replayed: boolean; readonly committed: boolean },
): Promise<ExecuteResult> {
  const observation = observationOf(task, execution);
  const backend = backends.of((await config(input.run)).sandbox);
  const { exitCode, errorType, timedOut, outOfMemory, truncated, durationMs } = execution;
  // Measurements differ from run to run and would push most results out of the payload.
  const { details: _, ...recorded } = execution;
  const [result, observationText] = await Promise.all([store.toText(JSON.stringify(recorded)), store.toText(observation)]);
  return {
    sandbox: { taskQueue, id: sandbox.id, backend: backend.name },
    execution: { exitCode, ...(errorType === undefined ? {} : { errorType }), timedOut, outOfMemory, truncated, durationMs, result },
    observation: observationText,
    ...how,
    ended: task.endsOn !== undefined && observation === task.endsOn,
  };
}

/** A box that broke or was left in the middle of a cell is not used again. */
async function orDrop<Result>(place: SandboxPlace, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    await place.drop();
    throw error;
  }
}

function failureOf(error: unknown): unknown {
  if (error instanceof SandboxUnavailable) {
    return ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true, cause: error });
  }
  if (error instanceof SandboxBroken || error instanceof SandboxTableFull) {
    return ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: false, cause: error });
  }
  return error;
}
