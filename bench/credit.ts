/**
 * @file What credit assignment costs: rewards, similarity, returns and advantages of 512 trajectories × 8 turns × 2 KiB of code.
 * Traps: groups in which all siblings fare alike need no similarity, so half of every group is solved here; siblings share vocabulary but not text.
 */
import { assignCredit } from '../core/gtpo/credit.ts';
import { tokenCosine } from '../core/gtpo/similarity.ts';
import type { GradedGroup } from '../core/gtpo/types.ts';
import { type Random, randomOf } from '../core/random.ts';
import type { Figure } from './figure.ts';
import { secondsPerToken } from './training.ts';

const [groups, groupSize, turns, bytesPerTurn] = [64, 8, 8, 2048];
const repetitions = 5;
/** Of the step that the credit belongs to. */
const mostShare = 0.01;

const options = {
  method: 'gtpo',
  gamma: 0.9,
  alpha: 0.5,
  formatPenalty: 0.1,
  normalization: 'group',
  stdFloor: 1e-6,
  uniformGroups: 'keep',
} as const;

/** A token of code is about four bytes. */
const bytesPerToken = 4;

export async function creditFigures(): Promise<Figure[]> {
  const random = randomOf(7);
  const codes = Array.from({ length: groups }, () => Array.from({ length: groupSize }, () => programOf(random)));
  const times = Array.from({ length: repetitions + 1 }, () => timed(codes))
    .slice(1)
    .sort((a, b) => a - b);
  const median = times[Math.floor(repetitions / 2)] as number;
  const spread = [times[0] as number, times.at(-1) as number] as const;
  const how = `median of ${repetitions} after one unmeasured: ${groups * groupSize} trajectories × ${turns} turns × ${bytesPerTurn} bytes of Python, half of each group solved`;
  const plain: Figure = { name: 'credit assignment', value: median, unit: 'ms', bar: null, pass: null, spread, how };
  const stepMs = 1000 * (await secondsPerToken('S')) * ((groups * groupSize * turns * bytesPerTurn) / bytesPerToken);
  const share = median / stepMs;
  const shareHow = `${how}; ÷ the update of preset S on as many trajectories of ${bytesPerToken} bytes a token, ${Math.round(stepMs / 1000)} s, rollouts not counted`;
  return [
    plain,
    {
      name: 'credit assignment ÷ step',
      value: share,
      unit: '',
      bar: `≤ ${mostShare}`,
      pass: share <= mostShare,
      spread: [spread[0] / stepMs, spread[1] / stepMs],
      how: shareHow,
    },
  ];
}

function timed(codes: readonly (readonly string[])[]): number {
  const started = performance.now();
  assignCredit(codes.map(groupOf), options);
  return performance.now() - started;
}

function groupOf(codes: readonly string[]): GradedGroup {
  const trajectories = codes.map((_, sibling) => ({
    outcome: sibling % 2 === 0 ? ('solved' as const) : ('failed' as const),
    hasCode: true,
    turns: Array.from({ length: turns }, () => ({ formatViolation: false })),
  }));
  return { trajectories, similarity: tokenCosine(codes) };
}

const names = ['total', 'items', 'index', 'result', 'value', 'left', 'right', 'parse', 'boss', 'age', 'count', 'stack'];

function programOf(random: Random): string {
  const lines: string[] = [];
  for (let length = 0; length < turns * bytesPerTurn; length += (lines.at(-1) as string).length + 1) {
    const name = () => random.pick(names);
    lines.push(
      `    ${name()}_${random.integer(0, 9)} = ${name()}(${name()}[${random.integer(0, 99)}], '${name()}') ${random.pick(['+', '*', '//'])} ${random.integer(0, 999)}`,
    );
  }
  return lines.join('\n');
}
