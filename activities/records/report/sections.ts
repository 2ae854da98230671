/** @file The parts of the report page that are about the whole run. */
import type { CreditConfig, RunConfig } from '../../../core/run/config.ts';
import type { EvaluationLine } from '../lines.ts';
import { metricsOf } from '../lines.ts';
import type { LedgerSummary, RunRecords } from '../readRun.ts';
import { chart, type Mark } from './chart.ts';
import { figure, percent } from './figures.ts';
import { type Html, html } from './html.ts';
import { type Curve, curves, pointsOf, solvedCurve } from './series.ts';
import { type Comparison, intervalOf } from './verdict.ts';

export function configSummary(config: RunConfig | null): Html {
  if (config === null) return html`<p class="quiet">config.json is not there or cannot be read.</p>`;
  const { training, policy, credit, sampling } = config;
  const facts: readonly (readonly [string, string])[] = [
    ['Policy', policy.path ?? `${policy.preset}, made from nothing`],
    ['Tasks', config.tasks.map(({ name }) => name).join(', ')],
    ['A step', `${training.tasksPerStep} tasks × ${training.groupSize} siblings`],
    ['Learning rate', `${training.optimizer.lr}`],
    ['Method', methodOf(credit)],
    ['Similarity', similarityOf(credit)],
    ['Normalised over', { group: 'all turns of a group', batch: 'all turns of a step', turnIndex: 'turns of one index in a group' }[credit.normalization]],
    ['Sampling', `temperature ${sampling.temperature}`],
    ['Seed', `${config.seed}`],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function methodOf({ method, gamma, alpha, formatPenalty }: CreditConfig): string {
  return method === 'grpo' ? `GRPO, format −${formatPenalty}` : `GTPO (arXiv 2511.14846), γ ${gamma}, α ${alpha}, format −${formatPenalty}`;
}

export function similarityOf({ method, alpha, similarity, embeddingModel }: CreditConfig): string {
  if (method === 'grpo' || alpha === 0) return 'not used';
  const names = {
    tokenCosine: 'tokenCosine: Python tokens and adjacent pairs',
    embedding: `embedding: ${embeddingModel ?? 'no model'}`,
    shuffled: 'shuffled control',
  };
  return names[similarity];
}

export function comparisonTable(all: readonly Comparison[]): Html {
  if (all.length === 0) return html`<p class="quiet">The policy has not been evaluated.</p>`;
  return html`<table><thead><tr><th scope="col">Held-out tasks solved</th><th scope="col">Before</th><th scope="col">After</th><th scope="col">Difference</th><th scope="col">Turns</th></tr></thead>
<tbody>${all.map(
    ({
      mode,
      before,
      after,
      difference,
    }) => html`<tr><th scope="row">${mode}<span class="quiet"> · ${before.tasks} tasks</span></th>${shareCell(before)}${shareCell(after)}
<td class="${difference === undefined ? '' : difference.value >= 0 ? 'good' : 'bad'}">${difference === undefined ? '–' : points(difference.value)}<small>${difference === undefined ? '' : `${points(difference.interval.low)} … ${points(difference.interval.high)}`}</small></td>
<td>${figure(before.meanTurns)}<small>${after === undefined ? '' : `→ ${figure(after.meanTurns)}`}</small></td></tr>`,
  )}</tbody></table>
<p class="note">Small figures are 95 % intervals: Wilson for shares, Newcombe for the difference, which is in percentage points. Samples that ended in an error are left out, never counted as unsolved.</p>`;
}

function shareCell(evaluation: EvaluationLine | undefined): Html {
  if (evaluation === undefined) return html`<td>–</td>`;
  const { low, high } = intervalOf(evaluation);
  return html`<td>${percent(evaluation.solvedShare)}<small>${percent(low)} … ${percent(high)}</small></td>`;
}

function points(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Math.abs(100 * difference).toFixed(1)}`;
}

export function curveSection({ steps, evaluations }: RunRecords): Html {
  if (steps.length === 0) return html`<p class="quiet">No training step has been recorded.</p>`;
  const marks = evaluations.filter(({ mode }) => mode === 'sampled').map(markOf);
  const small = curves.filter(({ metric }) => pointsOf(steps, metric).length > 0);
  return html`<div class="wide">${figureOf(solvedCurve, steps, { width: 1040, height: 240 }, marks)}</div>
<div class="grid">${small.map((curve) => figureOf(curve, steps, { width: 336, height: 168 }))}</div>`;
}

function markOf(evaluation: EvaluationLine): Mark {
  const { step, solvedShare, mode } = evaluation;
  return { step, value: solvedShare, interval: intervalOf(evaluation), label: `held-out (${mode}), step ${step}: ${percent(solvedShare)}` };
}

function figureOf(curve: Curve, steps: RunRecords['steps'], size: { readonly width: number; readonly height: number }, marks: readonly Mark[] = []): Html {
  const values = pointsOf(steps, curve.metric);
  const last = values.at(-1);
  return html`<figure><figcaption><b>${curve.title}</b><span class="last">${last === undefined ? '' : curve.format(last.value)}</span><span class="meaning">${curve.meaning}</span></figcaption>${chart(curve, values, size, marks)}</figure>`;
}

export function ledgerSection({ rollouts, trained, tasks, replayedTurns, excluded }: LedgerSummary): Html {
  if (rollouts === 0) return html`<p class="quiet">Nothing has been entered.</p>`;
  return html`<p>${figure(rollouts)} rollouts in ${figure(tasks)} groups: <b>${figure(trained)} trained on</b> (${percent(trained / rollouts)}), ${figure(rollouts - trained)} not.
${replayedTurns === 0 ? '' : `${figure(replayedTurns)} turns were replayed in a new sandbox after a worker was lost.`}</p>
<div class="bar" role="img" aria-label="${percent(trained / rollouts)} trained on"><span style="width:${((100 * trained) / rollouts).toFixed(2)}%"></span></div>
${
  excluded.length === 0
    ? ''
    : html`<table><thead><tr><th scope="col">Not trained on because</th><th scope="col">Rollouts</th><th scope="col">Share</th><th scope="col" class="text">For example</th></tr></thead><tbody>${excluded.map(
        ({ reason, count, example }) =>
          html`<tr><th scope="row">${reason.replaceAll('_', ' ')}</th><td>${count}</td><td>${percent(count / rollouts)}</td><td class="text">${example}</td></tr>`,
      )}</tbody></table>`
}`;
}

/** Every figure of the first and the last step, for readers of tables and for screen readers. */
export function metricsTable({ steps }: RunRecords): Html {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return html``;
  const [before, after] = [metricsOf(first), metricsOf(last)];
  return html`<details><summary>All figures of the first and the last step</summary><table><thead><tr><th scope="col">Metric</th><th scope="col">Step ${first.step}</th><th scope="col">Step ${last.step}</th></tr></thead>
<tbody>${Object.keys(after)
    .sort()
    .map(
      (name) =>
        html`<tr><th scope="row"><code>${name}</code></th><td>${figure(before[name] ?? Number.NaN)}</td><td>${figure(after[name] ?? Number.NaN)}</td></tr>`,
    )}</tbody></table></details>`;
}
