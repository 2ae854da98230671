/**
 * @file What siblings save: one policy update of eight rows that share a prompt of 256 tokens and have 64 of their own, whole models and
 * adapters, against PyTorch, which computes whole rows. Traps as in training.ts.
 */
import type { Figure } from './figure.ts';
import type { ShapeName, UpdateCase } from './updates/cases.ts';
import { compared, ratioFigure, tokenRateFigure } from './updates/compare.ts';

const rows = { rows: 8, promptTokens: 256, trainedTokens: 64 };
const cases = (['S', 'M'] as const satisfies readonly ShapeName[]).flatMap((shape): UpdateCase[] => [
  { ...rows, name: `siblings.${shape}`, shape, adapter: false, steps: shape === 'S' ? 9 : 3 },
  { ...rows, name: `siblings.${shape}.lora`, shape, adapter: true, steps: shape === 'S' ? 9 : 3 },
]);

const rounds = 3;

export async function siblingsFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measured of cases) {
    const comparison = await compared(measured, rounds);
    figures.push(tokenRateFigure(comparison), ratioFigure(comparison, 'PyTorch', 2));
  }
  return figures;
}
