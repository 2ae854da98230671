/** @file The tasks of a run, from procedural families and from users' files, behind one reference each. Deterministic in (configuration, files). */
import { randomOf, seedOf } from '../../core/random.ts';
import type { Split, TaskCard, TaskRef } from '../../core/rollout/types.ts';
import type { RunConfig, TaskSourceConfig } from '../../core/run/config.ts';
import { withInstructions } from '../../core/tasks/instructions.ts';
import { bindFamily, proceduralTask, promptOf } from '../../core/tasks/registry.ts';
import type { Task } from '../../core/tasks/task.ts';
import type { LoadRunConfig } from '../runs/storedConfig.ts';
import { promptFits } from './promptFits.ts';
import { type FileSourceConfig, loadTaskFile, type TaskFile } from './taskFile.ts';

/** The part of a run's configuration that tasks are made from. */
export type TasksConfig = Pick<RunConfig, 'seed' | 'policy' | 'tasks'>;

export interface TaskSources {
  task(ref: TaskRef): Task;
  /** Tasks at positions `offset` … `offset + count − 1` of the split's stream: the sources interleaved by weight. */
  draw(split: Split, offset: number, count: number): readonly TaskCard[];
  /** The files behind sources that are files, by source name. */
  readonly files: ReadonlyMap<string, TaskFile>;
}

export type LoadTaskSources = (run: string) => Promise<TaskSources>;

/** Opens each run's sources once, and again when its configuration is another object. */
export function taskSourcesLoader(loadConfig: LoadRunConfig): LoadTaskSources {
  const opened = new Map<string, { readonly config: RunConfig; readonly sources: Promise<TaskSources> }>();
  return async (run) => {
    const config = await loadConfig(run);
    const known = opened.get(run);
    if (known?.config === config) return known.sources;
    const entry = { config, sources: openTaskSources(config) };
    opened.set(run, entry);
    // A failure is not remembered: the file may be mended.
    entry.sources.catch(() => opened.get(run) === entry && opened.delete(run));
    return entry.sources;
  };
}

interface Source {
  readonly name: string;
  readonly weight: number;
  readonly make: (split: Split, index: number) => Task;
  /** Reference index of the source's nth draw. */
  readonly indexOfDraw: (split: Split, draw: number) => number;
}

/** Relative file paths start at `baseDirectory`; those of a stored configuration are absolute. */
export async function openTaskSources(config: TasksConfig, baseDirectory = '.'): Promise<TaskSources> {
  const files = new Map<string, TaskFile>();
  const sources: Source[] = [];
  for (const source of config.tasks) {
    if (!('file' in source)) {
      sources.push(proceduralSource(source, config.seed));
      continue;
    }
    const file = await loadTaskFile(source, { baseDirectory, fits: promptFits(config.policy) });
    files.set(source.name, file);
    sources.push(fileSource(source, file, config.seed));
  }
  return new MixedSources(sources, files, config);
}

class MixedSources implements TaskSources {
  readonly files: ReadonlyMap<string, TaskFile>;
  readonly #sources: readonly Source[];
  readonly #config: TasksConfig;
  readonly #streams: Record<Split, { readonly source: Source; readonly draw: number }[]> = { train: [], heldOut: [] };

  constructor(sources: readonly Source[], files: ReadonlyMap<string, TaskFile>, config: TasksConfig) {
    this.#sources = sources;
    this.files = files;
    this.#config = config;
  }

  task(ref: TaskRef): Task {
    const source = this.#sources.find(({ name }) => name === ref.source);
    if (source === undefined)
      throw new Error(`task ${JSON.stringify(ref)}: expected a source of ${this.#sources.map(({ name }) => name).join(', ')}, got '${ref.source}'`);
    const task = source.make(ref.split, ref.index);
    return this.#config.policy.turnFormat === 'fences' ? { ...task, messages: withInstructions(task) } : task;
  }

  draw(split: Split, offset: number, count: number): readonly TaskCard[] {
    this.#extend(split, offset + count);
    return this.#streams[split]
      .slice(offset, offset + count)
      .map(({ source, draw }) => this.#card({ source: source.name, split, index: source.indexOfDraw(split, draw) }));
  }

  /** Smooth weighted round robin: any stretch of the stream has the sources in their proportions. */
  #extend(split: Split, length: number): void {
    const stream = this.#streams[split];
    const total = this.#sources.reduce((sum, { weight }) => sum + weight, 0);
    const draws = new Map(this.#sources.map((source) => [source, stream.filter((entry) => entry.source === source).length]));
    while (stream.length < length) {
      const due = (source: Source) => ((stream.length + 1) * source.weight) / total - (draws.get(source) as number);
      const source = this.#sources.reduce((best, other) => (due(other) > due(best) + 1e-9 ? other : best));
      const draw = draws.get(source) as number;
      stream.push({ source, draw });
      draws.set(source, draw + 1);
    }
  }

  #card(ref: TaskRef): TaskCard {
    const task = this.task(ref);
    return {
      ref,
      id: task.id,
      family: task.family,
      summary: [...promptOf(task).replace(/\s+/g, ' ')].slice(0, 120).join(''),
      maxTurns: task.maxTurns,
      tokenBudget: this.#config.policy.contextLength,
      toolRequired: task.toolRequired,
      observationStyle: task.observationStyle,
    };
  }
}

function proceduralSource(config: Extract<TaskSourceConfig, { readonly family: string }>, seed: number): Source {
  const source = { name: config.name, family: bindFamily(config.family, config.options) };
  return { ...config, make: (split, index) => proceduralTask(source, split, index, seed), indexOfDraw: (_, draw) => draw };
}

/** Observations of free Python: room for a traceback and some output. */
const observationCharacters = 2_000;

/** A row's index counts on through the epochs, so that no id comes twice; each epoch of training has an order of its own. */
function fileSource(config: FileSourceConfig, file: TaskFile, seed: number): Source {
  const make = (split: Split, index: number): Task => {
    const rows = rowsOf(file, split);
    const row = rows[index % rows.length] as TaskFile['train'][number];
    const { maxTurns, toolRequired } = config;
    const ref = { source: config.name, split, index };
    return {
      ...row,
      ref,
      id: `${config.name}/${split}/${index}`,
      family: config.name,
      setup: '',
      maxTurns,
      toolRequired,
      observationStyle: 'full',
      observationCharacters,
    };
  };
  const orders = new Map<number, readonly number[]>();
  const indexOfDraw = (split: Split, draw: number) => {
    const { length } = rowsOf(file, split);
    if (split === 'heldOut') return draw;
    const epoch = Math.floor(draw / length);
    const order = orders.get(epoch) ?? shuffled(length, seedOf('order', seed, config.name, epoch));
    orders.set(epoch, order);
    return epoch * length + (order[draw % length] as number);
  };
  return { name: config.name, weight: config.weight, make, indexOfDraw };
}

function rowsOf(file: TaskFile, split: Split): TaskFile['train'] {
  const rows = file[split];
  if (rows.length === 0) throw new Error(`${file.path}: expected at least one ${split} task, got none; add rows or change heldOutFraction`);
  return rows;
}

/** Fisher–Yates. */
function shuffled(length: number, seed: number): number[] {
  const random = randomOf(seed);
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
