/**
 * @file Training figures: one clipped policy-gradient update of the presets S and M, against PyTorch on the same machine and against the rate
 * of a plain matrix product. Traps: other work on the cores (compare ratios only), the first update (session creation), processors that change
 * speed (so the two sides alternate), and glibc's thresholds, which alone are worth 15 % to PyTorch (so it gets the better of two settings).
 */
import type { Figure } from './figure.ts';
import { tokensOf, type UpdateCase } from './updates/cases.ts';
import { compared, gemmShareFigure, median, ratioFigure, tokenRateFigure } from './updates/compare.ts';
import { ourUpdates } from './updates/ours.ts';

const whole = { promptTokens: 0, adapter: false };
const cases = {
  S: { ...whole, name: 'training.S', shape: 'S', rows: 16, trainedTokens: 256, steps: 7 },
  M: { ...whole, name: 'training.M', shape: 'M', rows: 8, trainedTokens: 512, steps: 2 },
} satisfies Record<string, UpdateCase>;

const rounds = 3;

export async function trainingFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measured of Object.values(cases)) {
    const comparison = await compared(measured, rounds);
    figures.push(tokenRateFigure(comparison), ratioFigure(comparison, 'PyTorch', 1.1), gemmShareFigure(comparison, 0.75));
  }
  return figures;
}

/** Seconds that a token costs in an update of this preset. */
export async function secondsPerToken(shape: keyof typeof cases): Promise<number> {
  return median((await ourUpdates(cases[shape])).seconds) / tokensOf(cases[shape]);
}
