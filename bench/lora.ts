/** @file Adapter figures: one policy update of a LoRA of rank 8 on all projections of S and M, against PyTorch with PEFT. Traps as in training.ts. */
import type { Figure } from './figure.ts';
import type { UpdateCase } from './updates/cases.ts';
import { compared, ratioFigure, tokenRateFigure } from './updates/compare.ts';

const cases: readonly UpdateCase[] = [
  { name: 'lora.S', shape: 'S', rows: 16, promptTokens: 0, trainedTokens: 256, adapter: true, steps: 7 },
  { name: 'lora.M', shape: 'M', rows: 8, promptTokens: 0, trainedTokens: 512, adapter: true, steps: 2 },
];

const rounds = 3;

export async function loraFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measured of cases) {
    const comparison = await compared(measured, rounds);
    figures.push(tokenRateFigure(comparison), ratioFigure(comparison, 'PEFT', 1.1));
  }
  return figures;
}
