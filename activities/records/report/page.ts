/** @file report.html: one self-contained page without a script or an external request, for whoever asks whether it worked and why. */
import type { RunRecords } from '../readRun.ts';
import { standingText } from '../standing.ts';
import type { TrajectoryLine } from '../trajectoryLine.ts';
import { figure } from './figures.ts';
import { Html, html } from './html.ts';
import { comparisonTable, configSummary, curveSection, ledgerSection, methodOf, metricsTable, similarityOf } from './sections.ts';
import { style } from './style.ts';
import { trajectorySection } from './trajectory.ts';
import { comparisons, verdict } from './verdict.ts';

/** Trajectories of one step that a person is shown. */
export interface StepSamples {
  readonly step: number;
  readonly trajectories: readonly TrajectoryLine[];
}

/** Nothing may load and nothing may run, whatever was written into the page. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function renderReport(records: RunRecords, samples: readonly StepSamples[]): string {
  const compared = comparisons(records.evaluations);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${records.run} · turnwise</title><style>${new Html(style)}</style></head>
<body><main>
<header><h1>${records.run} <span class="quiet">· ${progressOf(records)}</span></h1>${standingOf(records)}<p class="verdict">${verdict(compared)}</p>${configSummary(records.config)}</header>
<section><h2>Before and after</h2>${comparisonTable(compared)}</section>
<section><h2>While it trained</h2>${curveSection(records)}${metricsTable(records)}</section>
<section><h2>What the policy did</h2>${creditNote(records)}${samples.map(samplesOf)}</section>
<section><h2>What was trained on</h2>${ledgerSection(records.ledger)}</section>
<footer>turnwise${footerOf(records)}</footer>
</main></body></html>
`;
  return page.markup;
}

function standingOf(records: RunRecords): Html {
  const text = standingText(records);
  return text === undefined ? html`` : html`<p class="standing">${text}</p>`;
}

function progressOf({ steps, warmup, config }: RunRecords): string {
  const last = steps.at(-1);
  const planned = config === null ? '' : ` of ${config.training.steps}`;
  const warm = warmup.at(-1) === undefined ? '' : `${figure(warmup.at(-1)?.step ?? 0)} warm-up steps, `;
  return last === undefined ? `${warm}no training step yet` : `${warm}${last.step}${planned} training steps, policy version ${last.policy_version}`;
}

function creditNote({ config }: RunRecords): Html {
  const method =
    config?.credit.method === 'grpo'
      ? 'A rollout is compared with its siblings as a whole, so all its turns have one advantage.'
      : 'A turn’s return is its own reward and, discounted, those of the turns after it; its advantage says how that compares with the other turns of the group. A failed rollout earns shaping where its code is like that of a solved sibling.';
  return html`<p>${method} <span style="color:var(--good)">Teal</span> turns were made more likely, <span style="color:var(--bad)">rust</span> ones less; a dash means that the group was not trained on.</p>`;
}

function samplesOf({ step, trajectories }: StepSamples): Html {
  const shown =
    trajectories.length === 0
      ? html`<p class="quiet">No trajectory of this step is on disk.</p>`
      : html`<div class="pair">${trajectories.map(trajectorySection)}</div>`;
  return html`<h3>Step ${step}</h3>${shown}`;
}

function footerOf({ config, steps }: RunRecords): string {
  const when = steps.at(-1)?.time;
  const used = config === null ? '' : ` · ${methodOf(config.credit)} · similarity ${similarityOf(config.credit)}`;
  return `${used} · GTPO is Group Turn Policy Optimization, arXiv 2511.14846${when === undefined ? '' : ` · last step recorded ${when.slice(0, 16).replace('T', ' ')} UTC`}`;
}
