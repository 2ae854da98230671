/**
 * @file The largest model that two cores train: one LoRA update of 8 × 256 tokens on the shape of Qwen2.5-0.5B with random weights, its time
 * and memory, against PyTorch with PEFT. Takes minutes, 2 GB of temporary files and 15 GB of memory on the peer's side.
 */
import type { Figure } from './figure.ts';
import type { UpdateCase } from './updates/cases.ts';
import { compared, median, type Round } from './updates/compare.ts';
import { type OurUpdates, ourUpdates } from './updates/ours.ts';
import { type PeerUpdates, peerMissing } from './updates/peer.ts';

const measured: UpdateCase = {
  name: 'halfBillion.lora',
  shape: 'Qwen2.5-0.5B',
  rows: 8,
  promptTokens: 0,
  trainedTokens: 256,
  adapter: true,
  steps: 1,
};
const mostTimes = 1.2;
const mostBytes = 6e9;
/** The peer's peak, with something to spare: a machine without it would swap, and measure that. */
const neededBytes = 17e9;

export async function halfBillionFigures(): Promise<Figure[]> {
  if (process.availableMemory() < neededBytes)
    return [skipped(measured.name, `needs ${neededBytes / 1e9} GB of free memory, found ${process.availableMemory() / 1e9}`)];
  const { rounds, how } = await compared(measured, 1);
  const [{ ours, peer }] = rounds as [Round];
  const again = { ...measured, name: `${measured.name}.recomputed`, recomputes: true };
  return [...figuresOf(measured, ours, peer, how), ...figuresOf(again, await ourUpdates(again), peer, `activations computed again; ${how}`)];
}

function figuresOf({ name }: UpdateCase, ours: OurUpdates, peer: PeerUpdates | null, how: string): Figure[] {
  const seconds = median(ours.seconds);
  const plain = { pass: null, spread: null, how };
  const peak = ours.peakBytes / 1e9;
  const peakNote = `resident at most, the mapped weights included${peer === null ? '' : `; the peer: ${(peer.peakBytes / 1e9).toFixed(1)} GB`}`;
  return [
    { ...plain, name: `${name}.seconds`, value: seconds, unit: 's', bar: null },
    peer === null ? skipped(name, peerMissing()) : timesFigure(name, seconds / median(peer.seconds), how),
    { ...plain, name: `${name}.peakMemory`, value: peak, unit: 'GB', bar: `≤ ${mostBytes / 1e9}`, pass: peak <= mostBytes / 1e9, how: peakNote },
  ];
}

function timesFigure(name: string, value: number, how: string): Figure {
  return { name: `${name}.vsPEFT`, value, unit: '×', bar: `≤ ${mostTimes}`, pass: value <= mostTimes, spread: null, how: `our seconds ÷ the peer's; ${how}` };
}

function skipped(name: string, reason: string | undefined): Figure {
  return { name: `${name}.vsPEFT`, value: Number.NaN, unit: '×', bar: `≤ ${mostTimes}`, pass: null, spread: null, how: `skipped: ${reason}` };
}
