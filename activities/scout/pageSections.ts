/** @file The sections of the enriched statement as HTML; everything that somebody wrote is escaped by the template. */
import type { Place } from '../../core/scout/findings.ts';
import { provenance } from '../../core/scout/provenance.ts';
import type { ScoutReport } from '../../core/scout/report.ts';
import { type Html, html } from '../records/report/html.ts';

export function statementSections(report: ScoutReport): Html {
  const { description, reproduction, expected, files, entities, locations, hints } = report.sections;
  const at = (place: Place | null) => html`<span class="at">${place === null ? 'original statement' : provenance(place, report.repository)}</span>`;
  const named = (name: string, place: Place, reason: string) => html`<li><code>${name}</code> ${at(place)}<br>${reason}</li>`;
  return html`<div class="statement">
<h3>Issue Description</h3>${description.map(({ text, place }) => html`<p>${text} ${at(place)}</p>`)}<h4>The original statement, word for word</h4><pre>${report.original}</pre>
<h3>Reproduction Steps</h3>${listOf(
    reproduction.map(({ text, code }) => html`<li>${text}${block(code)}</li>`),
    'None stated beyond the original statement.',
    'ol',
  )}
<h3>Expected Behavior</h3>${expected.length === 0 ? html`<p class="quiet">As the original statement says.</p>` : expected.map((text) => html`<p>${text}</p>`)}
<h3>Exploration Hints</h3><h4>Files to Examine</h4>${listOf(files.map((file) => named(file.file, file, file.reason)))}
<h4>Key Classes/Functions</h4>${listOf(entities.map((one) => named(one.entity ?? one.file, one, one.reason)))}
<h3>Fix Hints</h3><h4>High Confidence Locations</h4>${listOf(
    locations.map((one) => html`<li><code>${one.entity ?? one.file}</code> ${at(one)} <b>${one.confidence.toFixed(2)}</b><br>${one.reason}</li>`),
  )}
<h4>Implementation Hints</h4>${listOf(hints.map(({ text, code, place }) => html`<li>${text} ${at(place)}${block(code)}</li>`))}
</div>`;
}

function listOf(entries: readonly Html[], none = 'None.', kind: 'ul' | 'ol' = 'ul'): Html {
  if (entries.length === 0) return html`<p class="quiet">${none}</p>`;
  return kind === 'ul' ? html`<ul>${entries}</ul>` : html`<ol>${entries}</ol>`;
}

function block(code: string): Html {
  return code === '' ? html`` : html`<pre>${code}</pre>`;
}
