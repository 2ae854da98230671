/** @file What a benchmark answers with; every other module here exports one function named `…Figures`. */
export type { Figure } from '../scripts/display/figure.ts';
