/**
 * @file What an index of a repository costs: cold, warm, a question, and memory. `TURNWISE_SCOUT_REPOSITORY` names a git directory (`…@commit` for one commit);
 * without it, this project itself. Traps: the disk's cache is warm in both; each cold index has an empty cache directory; threads start within the time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSource } from '../activities/repository/openRepository.ts';
import { staticScope } from '../core/scout/staticScope.ts';
import type { Figure } from './figure.ts';

const repetitions = 5;
const coldRepetitions = 3;
const issue =
  'QuerySet.values() drops annotations\nCalling `values()` after `annotate()` on a queryset with a `FilteredRelation` raises FieldError: cannot resolve keyword.';

export async function scoutFigures(): Promise<Figure[]> {
  const [directory = '', commit] = (process.env['TURNWISE_SCOUT_REPOSITORY'] ?? join(import.meta.dirname, '..')).split('@');
  const source = commit === undefined ? { directory } : { directory, commit };
  const root = await mkdtemp(join(tmpdir(), 'turnwise-bench-'));
  try {
    const cold = await times(coldRepetitions, async (run) => void (await openSource(source, join(root, String(run)))));
    const warm = await times(repetitions, async () => void (await openSource(source, join(root, '0'))));
    const { index } = await openSource(source, join(root, '0'));
    const query = await times(repetitions + 1, async () => void staticScope(index, issue));
    const { files, testFiles } = index.repository.summary;
    const how = `${files} files indexed, ${testFiles} tests left out`;
    return [
      figure('index, cold', cold, 's', 5, how),
      figure('index, warm', warm, 's', 0.3, `${how}; nothing parsed`),
      figure('static scope', query.slice(1), 's', 0.2, `${how}; after one unmeasured`),
      figure('peak memory', [process.resourceUsage().maxRSS / 1024], 'MiB', 500, `${how}; of the whole process with its threads, all of the above in it`),
    ];
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function times(runs: number, work: (run: number) => Promise<void>): Promise<number[]> {
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    await work(run);
    seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}

function figure(name: string, measured: readonly number[], unit: string, bar: number, how: string): Figure {
  const sorted = measured.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] as number;
  return {
    name,
    value,
    unit,
    bar: `≤ ${bar}`,
    pass: value <= bar,
    spread: [sorted[0] as number, sorted.at(-1) as number],
    how: `median of ${measured.length}: ${how}`,
  };
}
