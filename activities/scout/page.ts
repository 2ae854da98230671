/** @file report.html of one scout: one self-contained page without a script or an external request, for whoever asks what was found and why. */
import { grouped } from '../../core/scout/budget.ts';
import { provenance } from '../../core/scout/provenance.ts';
import type { ReportedTarget, ScoutReport } from '../../core/scout/report.ts';
import { Html, html } from '../records/report/html.ts';
import { style } from '../records/report/style.ts';
import { statementSections } from './pageSections.ts';
import { pageStyle } from './pageStyle.ts';

/** Nothing may load and nothing may run, whatever was written into the page. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function renderScoutPage(report: ScoutReport): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${report.sections.title} · turnwise scout</title><style>${new Html(style + pageStyle)}</style></head>
<body><main>
<header><h1>Scouted issue <span class="quiet">· ${modeOf(report)}</span></h1>${report.notes.map((note) => html`<p class="standing">Partial: ${note}</p>`)}<p class="verdict">${report.sections.title}</p>${facts(report)}</header>
<section><h2>Where to look</h2>${targetTable(report)}</section>
<section><h2>The completed statement</h2>${statementSections(report)}</section>
<section><h2>What was read</h2>${report.targets.map((target) => findingSection(target, report))}</section>
<section><h2>What it took</h2>${usageTable(report)}</section>
<footer>turnwise · ${report.method} (not 2603.17829, which trains an agent under the same name)</footer>
</main></body></html>
`;
  return page.markup;
}

function modeOf({ mode, model }: ScoutReport): string {
  return mode === 'static' ? 'static: ranked by words, nothing was read by a model' : `${model?.provider}:${model?.name}`;
}

function facts({ repository, targets, unresolved, facts: stated, relevanceThreshold, mode }: ScoutReport): Html {
  const kept = targets.filter(({ state }) => state === 'kept').length;
  const { files, testFiles, entities, broken } = repository.index;
  const judged = mode === 'static' ? '' : `, ${kept} at relevance ${relevanceThreshold} or more`;
  return html`<dl class="facts">
<div><dt>${repository.commit === null ? 'Content' : 'Commit'}</dt><dd><code>${(repository.commit ?? repository.contentHash).slice(0, 12)}</code></dd></div>
<div><dt>Index</dt><dd>${grouped(files)} files (${grouped(testFiles)} of tests), ${grouped(entities.function + entities.method)} functions, ${grouped(entities.class)} classes${broken > 0 ? `, ${broken} files with syntax errors` : ''}</dd></div>
<div><dt>Targets</dt><dd>${targets.length} found${judged}</dd></div>
<div><dt>Facts of the original</dt><dd>${stated.stated} stated, ${stated.lost.length} lost</dd></div>
<div><dt>Names removed</dt><dd>${unresolved.length} that the repository does not have</dd></div>
</dl>`;
}

const stateWords: { readonly [State in ReportedTarget['state']]: string } = {
  found: 'found',
  analyzing: 'analysing',
  kept: 'kept',
  filtered: 'below the threshold',
  dropped: 'no analysis',
  unaffordable: 'beyond the budget',
};

function targetTable({ targets, mode }: ScoutReport): Html {
  if (targets.length === 0) return html`<p class="quiet">Scoping found no target.</p>`;
  const judged = mode === 'model';
  const head = judged ? html`<th scope="col">Relevance</th><th scope="col" class="text">State</th>` : html``;
  return html`<table class="targets"><thead><tr><th scope="col">Target</th>${head}<th scope="col" class="text">Why</th></tr></thead><tbody>${targets.map(
    (target) => {
      const judgement = judged ? html`<td>${meter(target.relevance)}</td><td class="text">${stateWords[target.state]}</td>` : html``;
      return html`<tr class="${target.state}"><th scope="row"><code>${target.entity}</code><small>${target.id} · ${target.kind}, line ${target.span.startLine}</small></th>${judgement}<td class="text">${target.failure ?? target.reason}</td></tr>`;
    },
  )}</tbody></table>`;
}

function meter(relevance: number | undefined): Html {
  if (relevance === undefined) return html`–`;
  return html`<span class="meter" role="img" aria-label="${relevance.toFixed(2)}"><span style="width:${Math.round(100 * relevance)}%"></span></span>${relevance.toFixed(2)}`;
}

function findingSection(target: ReportedTarget, report: ScoutReport): Html {
  const { finding } = target;
  if (finding === undefined) return html``;
  const list = (title: string, texts: readonly string[]) =>
    texts.length === 0 ? html`` : html`<h4>${title}</h4><ul>${texts.map((text) => html`<li>${text}</li>`)}</ul>`;
  const locations = finding.locations.map((place) => `${place.entity ?? place.file} (${place.confidence.toFixed(2)}): ${place.reason}`);
  return html`<article class="trajectory finding"><header><h4><code>${target.entity}</code></h4><span class="outcome ${target.state === 'kept' ? 'good' : ''}">${stateWords[target.state]}</span><p class="total">${provenance(finding.place, report.repository)} · relevance ${finding.relevance.toFixed(2)}</p></header>
<p>${finding.role}</p>${list('Where a fix could go', locations)}${list('Insights', finding.insights)}${list('Other causes', finding.alternatives)}</article>`;
}

function usageTable({ usage, cost, mode }: ScoutReport): Html {
  if (mode === 'static') return html`<p class="quiet">No model call.</p>`;
  const stages = ['scope', 'analyze', 'synthesize', 'total'] as const;
  const dollars = cost === null ? html`` : html`<th scope="col">US dollars</th>`;
  return html`<table><thead><tr><th scope="col">Stage</th><th scope="col">Calls</th><th scope="col">Input tokens</th><th scope="col">Output tokens</th>${dollars}</tr></thead><tbody>${stages.map(
    (stage) => {
      const { calls, inputTokens, outputTokens } = usage[stage];
      const spent = cost === null ? html`` : html`<td>${cost[stage].toFixed(4)}</td>`;
      return html`<tr><th scope="row">${stage}</th><td>${calls}</td><td>${grouped(inputTokens)}</td><td>${grouped(outputTokens)}</td>${spent}</tr>`;
    },
  )}</tbody></table>`;
}
