/**
 * @file Measures static scoping on issues with a known fix, and prints the localisation table.
 * @example npm run scout:evaluate -- --data instances.jsonl --gold gold.jsonl --repos repositories --json table.json
 * @example npm run scout:evaluate -- --data instances.jsonl --gold gold.jsonl --repos repositories --map names.json --rankings rankings.jsonl
 */
import { writeFileSync } from 'node:fs';
import { type LocalisationHits, type LocalisationTable, localisationColumns, localisationHits, localisationTable } from '../core/scout/localisation.ts';
import { scopeMost, staticScope } from '../core/scout/staticScope.ts';
import { turnwiseHome } from '../workers/onDisk.ts';
import { openSource, scoutCacheRoot } from '../workers/repositories.ts';
import { type LocalisationInstance, readInstances } from './localisation/instances.ts';
import { repositoryFinder } from './localisation/repositories.ts';
import { commandNamed, exitCodes, runCommand, say } from './runs/command.ts';

const program = commandNamed('scout:evaluate')
  .description('Rank files and functions for issues with a known fix, without a model, at the commit before the fix (CodeScout, arXiv 2603.05744).')
  .requiredOption('--data <file>', 'issues, one JSON object a line: instance_id, repo, base_commit, problem_statement')
  .requiredOption('--gold <file>', 'what their fixes touched: instance_id, files, functions (path:Class.method)')
  .requiredOption('--repos <directory>', 'a git directory for each repository: owner+name/repo')
  .option('--map <file>', 'JSON object: repository name to another folder')
  .option('--rankings <file>', 'write the ranking of each issue there, one JSON object a line')
  .option('--json <file>', 'write the table there')
  .parse();

type Options = { data: string; gold: string; repos: string; map?: string; rankings?: string; json?: string };
const options = program.opts<Options>();

interface Evaluated {
  readonly instance: LocalisationInstance;
  readonly hits: LocalisationHits;
  readonly line: string;
}

await runCommand(async () => {
  const instances = readInstances(options.data, options.gold);
  const directoryOf = repositoryFinder(options.repos, options.map);
  const directories = new Map([...new Set(instances.map(({ repo }) => repo))].map((repo) => [repo, directoryOf(repo)]));
  const evaluated: Evaluated[] = [];
  for (const instance of instances) {
    evaluated.push(await evaluate(instance, directories.get(instance.repo) as string));
    if (evaluated.length % 25 === 0) say(`${evaluated.length} of ${instances.length} issues`);
  }
  const tables = tablesOf(evaluated);
  say(printed(tables));
  if (options.rankings) writeFileSync(options.rankings, evaluated.map(({ line }) => `${line}\n`).join(''));
  if (options.json) writeFileSync(options.json, `${JSON.stringify(tables, null, 2)}\n`);
  return exitCodes.done;
});

async function evaluate(instance: LocalisationInstance, directory: string): Promise<Evaluated> {
  const { index } = await openSource({ directory, commit: instance.commit }, scoutCacheRoot(turnwiseHome()));
  const scope = staticScope(index, instance.issue, scopeMost);
  const ranking = { files: scope.files.map(({ file }) => file), targets: scope.targets.map(({ entity }) => entity) };
  const hits = localisationHits(ranking, instance.gold);
  return { instance, hits, line: JSON.stringify({ instance_id: instance.id, ...ranking, gold: instance.gold, hits }) };
}

function tablesOf(evaluated: readonly Evaluated[]): Record<string, LocalisationTable> {
  const table = (isMeant: (instance: LocalisationInstance) => boolean) =>
    localisationTable(evaluated.filter(({ instance }) => isMeant(instance)).map(({ hits }) => hits));
  return {
    'with a function in the gold': table(({ counted }) => counted),
    '  of them, half tuned on': table(({ counted, half }) => counted && half === 0),
    '  of them, half checked on': table(({ counted, half }) => counted && half === 1),
    'all issues': table(() => true),
  };
}

function printed(tables: Readonly<Record<string, LocalisationTable>>): string {
  const width = Math.max(...Object.keys(tables).map((name) => name.length));
  const head = `${''.padEnd(width)}  ${'n'.padStart(4)}  ${localisationColumns.join('  ')}`;
  const rows = Object.entries(tables).map(([name, { issues, shares }]) => {
    const cells = localisationColumns.map((column) => (shares[column] as number).toFixed(1).padStart(column.length));
    return `${name.padEnd(width)}  ${String(issues).padStart(4)}  ${cells.join('  ')}`;
  });
  return [head, ...rows].join('\n');
}
