/** @file One trajectory, turn by turn: what was written, what came back, what it earned. */
import type { ToolLine, TrajectoryLine, TurnLine } from '../trajectoryLine.ts';
import { signed } from './figures.ts';
import { type Html, html } from './html.ts';

/** A page of samples is for reading; whoever needs every character has the file. */
const shownCharacters = 4000;

/** |advantage| at which the colour is full. */
const fullAdvantage = 2;

export function trajectorySection(line: TrajectoryLine): Html {
  const prompt = line.messages[0]?.content ?? '';
  return html`<article class="trajectory">
<header><span class="outcome ${line.outcome === 'solved' ? 'good' : 'bad'}">${line.outcome}</span>
<h4>${line.prompt_id} <span class="quiet">sibling ${line.sibling}, step ${line.step}</span></h4>
<p class="total">reward <b>${line.reward === null ? 'none' : signed(line.reward)}</b>${line.trained ? html`` : html`<span class="quiet"> · not trained on: ${line.excluded_because ?? ''}</span>`}</p></header>
<p class="prompt">${capped(prompt)}</p>
<ol class="turns">${line.turns.map(turnSection)}</ol>
<p class="quiet end">ended: ${line.stop_reason} · ${line.usage.completion_tokens} tokens sampled${line.failure === undefined ? html`` : html` · ${line.failure}`}</p>
</article>`;
}

function turnSection(turn: TurnLine): Html {
  const strength = Math.round(100 * Math.min(1, Math.abs(turn.advantage ?? 0) / fullAdvantage));
  const sign = turn.advantage === null || strength === 0 ? 'none' : turn.advantage > 0 ? 'good' : 'bad';
  return html`<li class="turn ${sign}" style="--strength:${strength}%">
<div class="said"><p class="kind">turn ${turn.turn + 1} · ${turn.action}${flags(turn)}</p><pre>${capped(turn.tool?.code ?? turn.text)}</pre>${cameBack(turn)}</div>
<dl class="earned"><dt>accuracy</dt><dd>${amount(turn.reward?.acc)}</dd><dt>format</dt><dd>${amount(turn.reward?.format)}</dd><dt>shaping</dt><dd>${amount(turn.reward?.shaping)}</dd>
<dt class="sum">return</dt><dd class="sum">${amount(turn.return)}</dd><dt class="advantage">advantage</dt><dd class="advantage">${amount(turn.advantage)}</dd></dl></li>`;
}

function flags({ format_violation, replayed, tool }: TurnLine): Html {
  const all = [
    ...(format_violation ? ['format violation'] : []),
    ...(tool?.timed_out ? ['timed out'] : []),
    ...(tool?.out_of_memory ? ['out of memory'] : []),
    ...(replayed ? ['replayed'] : []),
  ];
  return html`${all.map((flag) => html`<span class="flag">${flag}</span>`)}`;
}

function cameBack({ tool, observation }: TurnLine): Html {
  const output = observation ?? (tool === undefined ? undefined : outputOf(tool));
  if (output === undefined || output === '') return html``;
  const failed = tool !== undefined && tool.exit_code !== 0;
  return html`<pre class="output${failed ? ' failed' : ''}">${capped(output)}</pre>`;
}

function outputOf({ stdout, stderr, value }: ToolLine): string {
  return [stdout, value, stderr].filter((part) => part !== undefined && part !== '').join('\n');
}

function amount(value: number | null | undefined): Html {
  const text = value === null || value === undefined ? '–' : signed(value);
  return text === '–' || text === '0' ? html`<span class="quiet">${text}</span>` : html`${text}`;
}

function capped(text: string): string {
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}\n… ${text.length - shownCharacters} more characters in the file`;
}
