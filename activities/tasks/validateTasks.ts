/** @file Everything about a run's tasks that can be wrong, found before the run starts; and what was found in each file, for people. */
import type { TaskSourceConfig } from '../../core/run/config.ts';
import { tagsFamilies } from '../../core/tasks/registry.ts';
import type { TaskFile } from './taskFile.ts';
import { openTaskSources, type TasksConfig } from './taskSources.ts';

export interface TaskReport {
  /** One line a source: `gsm: gsm8k.jsonl, GSM8K columns question → answer, 7,473 rows: 6,725 train, 748 held out; left out …`. */
  readonly lines: readonly string[];
  readonly files: ReadonlyMap<string, TaskFile>;
}

/** @throws Error with the place, the expectation, what was found and the remedy. */
export async function validateTasks(
  config: TasksConfig & { readonly training: { readonly tasksPerStep: number; readonly steps?: number } },
  baseDirectory = '.',
): Promise<TaskReport> {
  checkNames(config.tasks);
  for (const source of config.tasks) checkVocabulary(source, config.policy);
  const sources = await openTaskSources(config, baseDirectory);
  const { tasksPerStep, steps } = config.training;
  // A run that trains nothing, for an evaluation, may hold out every task.
  for (const [name, file] of sources.files) checkAmounts(name, file, steps === 0 ? 0 : tasksPerStep);
  if (steps !== 0) sources.draw('train', 0, 1);
  sources.draw('heldOut', 0, 1);
  return { lines: config.tasks.map((source) => lineOf(source, sources.files.get(source.name))), files: sources.files };
}

function checkNames(tasks: readonly TaskSourceConfig[]): void {
  if (tasks.length === 0) throw new Error('tasks: expected at least one source, got none; add {name, family} or {name, file}');
  const repeated = tasks.find(({ name }, i) => tasks.findIndex((other) => other.name === name) !== i);
  if (repeated !== undefined) throw new Error(`tasks: expected a different name for each source, got '${repeated.name}' twice; rename one`);
  if (!tasks.some(({ weight }) => weight > 0)) throw new Error('tasks: expected a source with a weight above 0, got none');
}

function checkVocabulary(source: TaskSourceConfig, policy: TasksConfig['policy']): void {
  if (policy.path !== null || policy.vocabulary !== 'tags') return;
  if ('family' in source && tagsFamilies.includes(source.family)) return;
  const what = 'family' in source ? `family '${source.family}'` : `file '${source.file}'`;
  throw new Error(
    `tasks '${source.name}': expected a family that the 98-token vocabulary can spell (${tagsFamilies.join(', ')}), got ${what}; set policy.vocabulary to bytes`,
  );
}

function checkAmounts(name: string, file: TaskFile, tasksPerStep: number): void {
  if (file.train.length < tasksPerStep) {
    throw new Error(
      `tasks '${name}' (${file.path}): expected at least ${tasksPerStep} training tasks (training.tasksPerStep), got ${file.train.length}; add rows or lower heldOutFraction`,
    );
  }
  if (file.heldOut.length === 0) {
    throw new Error(`tasks '${name}' (${file.path}): expected at least one held-out task, got none of ${file.train.length}; raise heldOutFraction`);
  }
}

function lineOf(source: TaskSourceConfig, file: TaskFile | undefined): string {
  if (file === undefined) return `${source.name}: family ${'family' in source ? source.family : ''}, procedural`;
  const { layout, rows, train, heldOut, empty, duplicate, overLong } = file;
  const left = empty + duplicate + overLong === 0 ? '' : `; left out ${empty} empty, ${duplicate} duplicate, ${overLong} over-long`;
  return `${source.name}: ${file.path}, ${layout.name} columns ${layout.promptColumn} → ${layout.answerColumn}, ${rows} rows: ${train.length} train, ${heldOut.length} held out${left}`;
}
