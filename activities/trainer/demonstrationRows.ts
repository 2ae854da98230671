/** @file Demonstrations as tokens: trained on are the policy's turns with their end of turn, and the inside of an answer with more weight. */

import type { RunConfig } from '../../core/run/config.ts';
import { type Demonstration, demonstrationSources, demonstrationStream } from '../../core/tasks/demonstrationStream.ts';
import type { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import type { SupervisedRow } from '../policy/training/types.ts';
import { ConfigError } from './configError.ts';

/** The rows of a warm-up step, from 1, that fit into the policy's context: a pure function of the configuration and the step. */
export function warmupRows(config: RunConfig, tokenizer: PolicyTokenizer): (step: number) => readonly SupervisedRow[] {
  const rowsOf = demonstrationRows(config, tokenizer);
  const { contextLength } = config.policy;
  return (step) => {
    const rows = rowsOf(step);
    const fitting = rows.filter(({ tokens }) => tokens.length <= contextLength);
    if (fitting.length > 0) return fitting;
    const longest = Math.max(...rows.map(({ tokens }) => tokens.length));
    throw new ConfigError(
      `warm-up step ${step}: expected demonstrations of at most policy.contextLength ${contextLength} tokens, all ${rows.length} are longer, up to ${longest}; raise policy.contextLength`,
    );
  };
}

/** All that are drawn for a step, however long. */
export function demonstrationRows(config: RunConfig, tokenizer: PolicyTokenizer): (step: number) => readonly SupervisedRow[] {
  const { warmup, policy, tasks, seed } = config;
  const draw = demonstrationStream(demonstrationSources(tasks), { seed, batchSize: warmup.batchSize, flawlessFraction: warmup.flawlessFraction });
  return (step) => draw(step).map((demonstration) => demonstrationRow(demonstration, tokenizer, { ...policy, answerWeight: warmup.answerWeight }));
}

interface RowOptions extends Pick<RunConfig['policy'], 'turnFormat'> {
  readonly answerWeight: number;
}

function demonstrationRow(demonstration: Demonstration, tokenizer: PolicyTokenizer, options: RowOptions): SupervisedRow {
  const tokens: number[] = [...tokenizer.encodePrompt(demonstration.messages)];
  const lossWeights: number[] = tokens.map(() => 0);
  demonstration.turns.forEach(({ text, observation }, turn) => {
    const written = options.turnFormat === 'tags' ? text : inFences(text);
    const sampled = tokenizer.encodeTurn(written);
    tokens.push(...sampled);
    lossWeights.push(...weightsOf(written, sampled.length, tokenizer, options.answerWeight));
    const isLast = turn === demonstration.turns.length - 1;
    const given = isLast || observation === undefined ? [] : tokenizer.encodeObservation(observation);
    tokens.push(...given);
    lossWeights.push(...Array.from(given, () => 0));
  });
  return { tokens: Int32Array.from(tokens), lossWeights: Float32Array.from(lossWeights) };
}

/** Demonstrations are written with tags; `<answer>` is the same in both formats. */
function inFences(text: string): string {
  return text.replace('<code>', '```python\n').replace('</code>', '\n```');
}

/** 1 for every token, `answerWeight` strictly between `<answer>` and `</answer>`. */
function weightsOf(text: string, length: number, tokenizer: PolicyTokenizer, answerWeight: number): number[] {
  const weights = Array.from({ length }, () => 1);
  const open = text.indexOf('<answer>');
  const close = text.indexOf('</answer>', open);
  if (open === -1 || close === -1) return weights;
  const start = tokenizer.encodeText(text.slice(0, open + '<answer>'.length)).length;
  return weights.fill(answerWeight, start, tokenizer.encodeText(text.slice(0, close)).length);
}
