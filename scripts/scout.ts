/**
 * @file Completes an issue with what its repository says: CodeScout (arXiv 2603.05744), as a workflow.
 * @example npm run scout -- --repo ../project --issue issue.md --static
 * @example npm run scout -- --repo ../project --commit v2.1 --issue - --model openai:gpt-5-mini --out report.md
 */
import { Option } from 'commander';
import { defaultRelevance, mostTargets } from '../core/scout/findings.ts';
import type { ScoutInput } from '../core/scout/run.ts';
import { ArtifactStore, artifactRoot, turnwiseHome } from '../workers/onDisk.ts';
import { commandNamed, runCommand, withProcesses } from './runs/command.ts';
import { positiveNumber, share, wholeNumber } from './runs/options.ts';
import { newRunName } from './runs/runName.ts';
import { chosenModel, readIssue, repositoryAt, type ScoutOptions } from './scouts/options.ts';
import { playScout, tell } from './scouts/playScout.ts';

const options = commandNamed('scout')
  .description(
    'Index a repository, find where an issue belongs, have each place analysed, and write the issue anew: complete, with file and line of every claim. ' +
      'The method is CodeScout (arXiv 2603.05744), not the agent of the same name (arXiv 2603.17829).',
  )
  .requiredOption('--repo <directory>', 'a git directory (bare or with a work tree), or a plain folder')
  .option('--commit <name>', 'any name that git resolves to a commit (default: HEAD)')
  .requiredOption('--issue <file>', 'the statement; - reads it from standard input')
  .addOption(new Option('--model <provider:name>', 'openai:…, anthropic:…, google:…, or compatible:… with --base-url').conflicts('static'))
  .option('--static', 'no model and no key: rank by words, and report what that finds')
  .option('--base-url <url>', 'of compatible: where the server answers, such as http://127.0.0.1:8080/v1')
  .option('--price <input/output>', 'US dollars per million tokens, such as 0.25/2: then the cost is shown')
  .option('--budget-tokens <n>', 'of all model calls together', wholeNumber, 400_000)
  .option('--budget-dollars <n>', 'the same in dollars; needs --price', positiveNumber)
  .option('--targets <n>', `places to look at, ${mostTargets} at most`, wholeNumber, mostTargets)
  .option('--concurrency <n>', 'analyses at a time', wholeNumber, 4)
  .option('--relevance <share>', 'findings below it are left out', share, defaultRelevance)
  .option('--name <name>', 'of the scout; a name used before goes on with the calls that were answered (default: a new one)')
  .option('--out <file>', 'write the report there (default: standard output)')
  .option('--json', 'the report as JSON instead of Markdown')
  .parse()
  .opts<ScoutOptions>();

await runCommand(async () => {
  const model = chosenModel(options);
  const repository = await repositoryAt(options.repo, options.commit);
  const statement = await readIssue(options.issue);
  const { budgetTokens, budgetDollars, targets, concurrency, relevance } = options;
  if (targets < 1 || targets > mostTargets) throw new Error(`--targets: expected 1 to ${mostTargets}, got ${targets}`);
  if (concurrency < 1) throw new Error('--concurrency: expected at least 1, got 0');
  const input: ScoutInput = {
    scout: options.name ?? newRunName('scout'),
    repository,
    issue: await new ArtifactStore(artifactRoot(turnwiseHome())).toText(statement),
    model,
    limits: { tokens: budgetTokens, dollars: budgetDollars ?? null, targets, concurrency, relevance },
  };
  return withProcesses((processes, signal) => playScout(input, { out: options.out, json: options.json === true }, processes, signal), tell);
});
