/**
 * @file The largest model that two cores train: one LoRA update of 8 × 256 tokens on the shape of Qwen2.5-0.5B with random weights, its time
 * and memory, against PyTorch with PEFT. Takes minutes, 2 GB of temporary files and some 12 GB of memory on the peer's side.
 */
import type { Figure } from './figure.ts';
import type { UpdateCase } from './updates/cases.ts';
import { compared, median, spreadOf } from './updates/compare.ts';
import { peerMissing } from './updates/peer.ts';

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

export async function halfBillionFigures(): Promise<Figure[]> {
  const { rounds, how } = await compared(measured, 1);
  const seconds = rounds.map(({ ours }) => median(ours.seconds));
  const peaks = rounds.map(({ ours }) => ours.peakBytes);
  const times = rounds.flatMap(({ ours, peer }) => (peer === null ? [] : [median(ours.seconds) / median(peer.seconds)]));
  const peerPeaks = rounds.flatMap(({ peer }) => (peer === null ? [] : [peer.peakBytes / 1e9]));
  const peak = median(peaks) / 1e9;
  return [
    { name: `${measured.name}.seconds`, value: median(seconds), unit: 's', bar: null, pass: null, spread: spreadOf(seconds), how },
    times.length === 0
      ? { name: `${measured.name}.vsPEFT`, value: Number.NaN, unit: '×', bar: `≤ ${mostTimes}`, pass: null, spread: null, how: `skipped: ${peerMissing()}` }
      : {
          name: `${measured.name}.vsPEFT`,
          value: median(times),
          unit: '×',
          bar: `≤ ${mostTimes}`,
          pass: median(times) <= mostTimes,
          spread: spreadOf(times),
          how: `our seconds ÷ the peer's; ${how}`,
        },
    {
      name: `${measured.name}.peakMemory`,
      value: peak,
      unit: 'GB',
      bar: `≤ ${mostBytes / 1e9}`,
      pass: peak <= mostBytes / 1e9,
      spread: spreadOf(peaks.map((bytes) => bytes / 1e9)),
      how: `resident at most, the mapped weights included${peerPeaks.length > 0 ? `; the peer: ${peerPeaks.map((gb) => gb.toFixed(1)).join(', ')} GB` : ''}`,
    },
  ];
}
