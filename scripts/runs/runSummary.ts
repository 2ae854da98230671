/** @file What a finished run leaves: table, paths, next commands; and the same as one JSON object. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runPaths, turnwiseHome } from '../../workers/onDisk.ts';
import { clock } from '../display/duration.ts';
import { evaluationTable } from '../display/evaluationTable.ts';
import { exitCodes } from './command.ts';
import type { RunEnd } from './followRun.ts';

export function exitCodeOf(end: RunEnd): number {
  if (end.status === 'INTERRUPTED') return exitCodes.interrupted;
  if (end.result?.phase === 'completed') return exitCodes.done;
  if (end.result?.phase === 'gated') return exitCodes.gated;
  return end.result?.phase === 'cancelled' || end.status === 'CANCELLED' ? exitCodes.cancelled : exitCodes.failed;
}

/** Lines for people. `goesOn`: the processes belong to another turnwise, so an interrupted display does not stop the run. */
export function summaryText(run: string, end: RunEnd, goesOn: boolean): string {
  const resume = `npm run resume -- ${run}`;
  if (end.status === 'INTERRUPTED') {
    const where = end.progress ? ` in phase ${end.progress.phase}, after step ${end.progress.step} of ${end.progress.steps}` : '';
    return goesOn ? `run ${run} goes on${where}; watch it again: ${resume}` : `run ${run} is interrupted${where}; nothing is lost. Go on: ${resume}`;
  }
  if (!end.result) return `run ${run} ended as ${end.status}: ${end.failure ?? 'no reason recorded'}\nGo on from its newest checkpoint: ${resume}`;
  const { phase, reason, before, after } = end.result;
  const head = `run ${run}: ${phase}${reason ? `: ${reason}` : ''} (${clock(end.seconds ?? 0)})`;
  return [head, '', evaluationTable(before, after), '', ...pathsAndNext(run, end)].join('\n');
}

function pathsAndNext(run: string, end: RunEnd): string[] {
  const paths = runPaths(turnwiseHome(), run);
  const shown = (path: string) => (relative(process.cwd(), path).startsWith('..') ? path : relative(process.cwd(), path));
  const policy = end.result?.policy;
  return [
    ...(existsSync(paths.report) ? [`  report      ${shown(paths.report)}`] : []),
    ...(policy
      ? [
          `  checkpoint  ${shown(join(paths.root, policy.checkpoint, 'policy'))}  (loads with ${loaderOf(join(paths.root, policy.checkpoint, 'policy'))}.from_pretrained)`,
        ]
      : []),
    '',
    '  next',
    ...(end.result?.phase === 'cancelled' ? [`    npm run resume -- ${run}                 start it again from its newest checkpoint`] : []),
    `    npm run inspect -- ${run}                what was learned, in the terminal`,
    `    npm run rollout -- ${run} --tasks 3      watch it solve held-out tasks, turn by turn`,
    `    npm run evaluate -- ${run} --tasks 500   a closer measurement`,
    '    npm run train -- examples/search.yaml    a family in which the policy chooses its turns',
  ];
}

/** The class of transformers, or of PEFT for an adapter. */
function loaderOf(directory: string): string {
  return existsSync(join(directory, 'adapter_config.json')) ? "PEFT's AutoPeftModelForCausalLM" : 'AutoModelForCausalLM';
}

/** The object that `--json FILE` writes. */
export function summaryJson(run: string, end: RunEnd): object {
  const paths = runPaths(turnwiseHome(), run);
  const policy = end.result?.policy;
  return {
    run,
    status: end.status,
    phase: end.result?.phase ?? end.progress?.phase ?? null,
    reason: end.result?.reason ?? end.failure ?? end.progress?.reason ?? null,
    steps: end.result?.steps ?? end.progress?.step ?? 0,
    seconds: end.seconds ?? null,
    before: end.result?.before ?? end.progress?.before ?? [],
    after: end.result?.after ?? end.progress?.after ?? [],
    report: existsSync(paths.report) ? paths.report : null,
    checkpoint: policy ? join(paths.root, policy.checkpoint) : null,
    weightsSha256: policy ? weightsHash(join(paths.root, policy.checkpoint, 'policy')) : null,
  };
}

function weightsHash(directory: string): string | null {
  const path = ['model.safetensors', 'adapter_model.safetensors'].map((name) => join(directory, name)).find(existsSync);
  return path === undefined ? null : createHash('sha256').update(readFileSync(path)).digest('hex');
}
