/**
 * @file What `policy.recomputeActivations` costs and saves: one policy update as in training.ts, layer by layer ÷ in one graph, in time and in
 * resident memory at most. Traps as there; the sides alternate.
 */
import type { Figure } from './figure.ts';
import type { UpdateCase } from './updates/cases.ts';
import { median, spreadOf } from './updates/compare.ts';
import { ourUpdates } from './updates/ours.ts';

const whole = { promptTokens: 0, adapter: false };
const cases: readonly UpdateCase[] = [
  { ...whole, name: 'recompute.S', shape: 'S', rows: 16, trainedTokens: 256, steps: 7 },
  { ...whole, name: 'recompute.M', shape: 'M', rows: 8, trainedTokens: 512, steps: 2 },
];
const rounds = 3;

export async function recomputeFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measured of cases) figures.push(...(await figuresOf(measured)));
  return figures;
}

async function figuresOf(measured: UpdateCase): Promise<Figure[]> {
  const [times, peaks]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const [inOne, again] = [await ourUpdates(measured), await ourUpdates({ ...measured, recomputes: true })];
    times.push(median(again.seconds) / median(inOne.seconds));
    peaks.push(again.peakBytes / inOne.peakBytes);
  }
  const { rows, trainedTokens, steps } = measured;
  const how = `${rounds} rounds of ${steps} updates of ${rows} × ${trainedTokens} tokens, computed again ÷ in one graph, medians`;
  const figure = (name: string, ratios: readonly number[]): Figure => {
    return { name: `${measured.name}.${name}`, value: median(ratios), unit: '×', bar: null, pass: null, spread: spreadOf(ratios), how };
  };
  return [figure('time', times), figure('peakMemory', peaks)];
}
