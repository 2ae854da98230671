/** @file An update measured on both sides in turn, and the figures that come of it. */
import { intraOpThreads } from '../../activities/policy/ort/session.ts';
import { parameterCount } from '../../core/model/tensorNames.ts';
import type { Figure } from '../figure.ts';
import { configs, tokensOf, type UpdateCase } from './cases.ts';
import { type OurUpdates, ourUpdates } from './ours.ts';
import { type PeerEnvironment, type PeerUpdates, peerMissing, peerUpdates } from './peer.ts';

export interface Round {
  readonly ours: OurUpdates;
  /** null: there is no peer. */
  readonly peer: PeerUpdates | null;
}

export interface Comparison {
  readonly measured: UpdateCase;
  readonly rounds: readonly Round[];
  /** How it was measured, in one line. */
  readonly how: string;
}

/** In the first round the peer runs with its own settings and with ours; from then on, and in the figures, with those that suit it better. */
export async function compared(measured: UpdateCase, roundCount: number): Promise<Comparison> {
  const rounds: Round[] = [];
  let environment: PeerEnvironment = 'own';
  for (let round = 0; round < roundCount; round++) {
    let peer: PeerUpdates | null = peerMissing() ? null : await peerUpdates(measured, environment);
    const ours = await ourUpdates(measured);
    if (round === 0 && peer !== null) {
      const other: PeerUpdates = await peerUpdates(measured, 'ours');
      if (median(other.seconds) < median(peer.seconds)) [peer, environment] = [other, 'ours'];
    }
    rounds.push({ ours, peer });
  }
  const { rows, promptTokens, trainedTokens, steps } = measured;
  const row = promptTokens === 0 ? `${trainedTokens} tokens` : `(${promptTokens} shared + ${trainedTokens}) tokens`;
  const peerNote = peerMissing() ? '' : `; the peer with ${environment === 'own' ? 'its own' : "our workers'"} allocator settings, which suit it better`;
  return {
    measured,
    rounds,
    how: `${roundCount} rounds of ${steps} updates of ${rows} × ${row}, ${intraOpThreads()} threads, medians; as in a worker${peerNote}`,
  };
}

export function tokenRateFigure({ measured, rounds, how }: Comparison): Figure {
  const rates = rounds.map(({ ours }) => tokensOf(measured) / median(ours.seconds));
  return { name: `${measured.name}.tokensPerSecond`, value: median(rates), unit: 'tokens/s', bar: null, pass: null, spread: spreadOf(rates), how };
}

/** Our tokens a second ÷ the peer's, round by round. */
export function ratioFigure({ measured, rounds, how }: Comparison, peerName: string, least: number): Figure {
  const name = `${measured.name}.vs${peerName}`;
  const ratios = rounds.flatMap(({ ours, peer }) => (peer === null ? [] : [median(peer.seconds) / median(ours.seconds)]));
  if (ratios.length === 0) return { name, value: Number.NaN, unit: '×', bar: `≥ ${least}`, pass: null, spread: null, how: `skipped: ${peerMissing()}` };
  const value = median(ratios);
  return { name, value, unit: '×', bar: `≥ ${least}`, pass: value >= least, spread: spreadOf(ratios), how };
}

/** Of the floating-point operations of whole attention and of all matrices, forward and backward; what causal blocks skip counts as done. */
export function gemmShareFigure({ measured, rounds, how }: Comparison, least: number): Figure {
  const config = configs[measured.shape];
  const tokens = tokensOf(measured);
  const flops = 6 * parameterCount(config) * tokens + 12 * tokens * (tokens / measured.rows) * config.headCount * config.headDim * config.layerCount;
  const shares = rounds.map(({ ours }) => flops / median(ours.seconds) / ours.gemmFlops);
  return {
    name: `${measured.name}.vsGemm`,
    value: median(shares),
    unit: '×',
    bar: `≥ ${least}`,
    pass: median(shares) >= least,
    spread: spreadOf(shares),
    how: `${how}; 6 P N + 12 N T H L floating-point operations ÷ time ÷ the rate of a 2048³ product in the same process`,
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

export function spreadOf(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
