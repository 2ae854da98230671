/** @file A run in the terminal: the same as the report, in text. Pure formatting; what a policy wrote cannot steer the terminal. */
import { metricsOf } from './lines.ts';
import type { LedgerSummary, RunRecords } from './readRun.ts';
import { percent, signed } from './report/figures.ts';
import { visible } from './report/html.ts';
import type { StepSamples } from './report/page.ts';
import { methodOf, similarityOf } from './report/sections.ts';
import { type Curve, curves, pointsOf, solvedCurve } from './report/series.ts';
import { type Comparison, comparisons, intervalOf, verdict } from './report/verdict.ts';
import { standingText } from './standing.ts';
import type { TrajectoryLine, TurnLine } from './trajectoryLine.ts';

/** What `inspect --json` writes. */
export function inspection(records: RunRecords, samples: readonly StepSamples[]) {
  const compared = comparisons(records.evaluations);
  return {
    ...records,
    steps: records.steps.map((line) => ({ ...line, metrics: metricsOf(line) })),
    verdict: verdict(compared),
    comparisons: compared,
    samples,
  };
}

export function runText(records: RunRecords, samples: readonly StepSamples[]): string {
  const compared = comparisons(records.evaluations);
  const parts = [
    [records.run, standingText(records) ?? '', verdict(compared)].filter((line) => line !== '').join('\n'),
    configText(records),
    comparisonText(compared),
    curvesText(records),
    ...samples.flatMap(({ step, trajectories }) => [`── step ${step} ${'─'.repeat(60)}`, ...trajectories.map(trajectoryText)]),
    ledgerText(records.ledger),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function configText({ config }: RunRecords): string {
  if (config === null) return 'config.json is not there or cannot be read';
  const { credit, training } = config;
  const size = `${training.steps} steps of ${training.tasksPerStep} tasks × ${training.groupSize} siblings`;
  return `${methodOf(credit)}; similarity ${similarityOf(credit)}\n${size}, seed ${config.seed}`;
}

function comparisonText(all: readonly Comparison[]): string {
  const rows = all.map(({ mode, before, after, difference }) => [
    mode,
    shareText(before),
    after === undefined ? '–' : shareText(after),
    difference === undefined ? '–' : `${signed(100 * difference.value)} (${signed(100 * difference.interval.low)} … ${signed(100 * difference.interval.high)})`,
  ]);
  return all.length === 0 ? '' : columns([['held-out solved', 'before (95 %)', 'after (95 %)', 'difference, points'], ...rows]);
}

function shareText(evaluation: Comparison['before']): string {
  const { low, high } = intervalOf(evaluation);
  return `${percent(evaluation.solvedShare)} (${percent(low)} … ${percent(high)})`;
}

function curvesText({ steps }: RunRecords): string {
  const rows = [solvedCurve, ...curves].flatMap((curve) => {
    const points = pointsOf(steps, curve.metric).map(({ value }) => value);
    const [first, last] = [points[0], points.at(-1)];
    return first === undefined || last === undefined ? [] : [[curve.title, sparkline(points, curve), curve.format(first), '→', curve.format(last)]];
  });
  return rows.length === 0 ? 'no training step has been recorded' : columns(rows);
}

const bars = '▁▂▃▄▅▆▇█';
const sparklineWidth = 40;

export function sparkline(values: readonly number[], { range }: Pick<Curve, 'range'>): string {
  const width = Math.min(sparklineWidth, values.length);
  const shown = Array.from({ length: width }, (_, i) =>
    meanOf(values.slice(Math.floor((i * values.length) / width), Math.floor(((i + 1) * values.length) / width))),
  );
  const [low, high] = range ?? [Math.min(...shown), Math.max(...shown)];
  return shown.map((value) => bars[high === low ? 3 : Math.min(7, Math.floor((8 * (value - low)) / (high - low)))]).join('');
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Every rollout of a step, one a line. */
export function stepText(step: number, lines: readonly TrajectoryLine[]): string {
  const rows = lines.map((line) => [
    `${line.prompt_id}/${line.sibling}`,
    line.outcome,
    line.stop_reason,
    String(line.turns.length),
    line.reward === null ? '–' : signed(line.reward),
    line.turns.map(({ advantage }) => (advantage === null ? '–' : signed(advantage))).join(' '),
    line.trained ? '' : (line.excluded_because ?? ''),
  ]);
  return `step ${step}\n\n${columns([['rollout', 'outcome', 'ended', 'turns', 'reward', 'advantage of each turn', 'not trained on'], ...rows])}\n`;
}

export function trajectoryText(line: TrajectoryLine): string {
  const head = `${line.prompt_id}/${line.sibling}  ${line.outcome} (${line.stop_reason})  reward ${line.reward === null ? 'none' : signed(line.reward)}`;
  const why = line.trained ? '' : `\n  not trained on: ${visible(line.excluded_because ?? '')}`;
  const prompt = indented(line.messages[0]?.content ?? '', '  > ');
  return [`${head}${why}`, prompt, ...line.turns.map(turnText)].join('\n');
}

function turnText(turn: TurnLine): string {
  const { reward } = turn;
  const parts = reward === null ? 'no reward' : `accuracy ${signed(reward.acc)}  format ${signed(reward.format)}  shaping ${signed(reward.shaping)}`;
  const earned = `${parts}  return ${turn.return === null ? '–' : signed(turn.return)}  advantage ${turn.advantage === null ? '–' : signed(turn.advantage)}`;
  const output = turn.observation === undefined || turn.observation === '' ? [] : [indented(turn.observation, '    → ')];
  return [
    `  turn ${turn.turn + 1}  ${turn.action}${turn.format_violation ? ', format violation' : ''}  ${earned}`,
    indented(turn.tool?.code ?? turn.text, '    '),
    ...output,
  ].join('\n');
}

function indented(text: string, by: string): string {
  return visible(text)
    .split('\n')
    .map((line) => `${by}${line}`)
    .join('\n');
}

function ledgerText({ rollouts, trained, tasks, excluded }: LedgerSummary): string {
  if (rollouts === 0) return '';
  const head = `ledger: ${rollouts} rollouts in ${tasks} groups, ${trained} trained on (${percent(trained / rollouts)})`;
  return [head, ...excluded.map(({ reason, count, example }) => `  ${count} not, ${reason.replaceAll('_', ' ')}: for example ${visible(example)}`)].join('\n');
}

/** Padded to the widest cell of each column. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => visible(row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => visible(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
