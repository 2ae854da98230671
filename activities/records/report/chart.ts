/** @file A curve as inline SVG. Values appear under the pointer by style alone: the page carries no script. */
import type { Interval } from './figures.ts';
import { type Html, html } from './html.ts';
import { type Curve, type Point, smoothed } from './series.ts';

export interface Mark {
  readonly step: number;
  readonly value: number;
  readonly interval: Interval;
  readonly label: string;
}

export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** Room for the axis labels. */
const margin = { left: 46, right: 14, top: 22, bottom: 22 };

interface Scale {
  readonly x: (step: number) => number;
  readonly y: (value: number) => number;
  readonly low: number;
  readonly high: number;
  readonly firstStep: number;
  readonly lastStep: number;
}

export function chart(curve: Curve, points: readonly Point[], size: ChartSize, marks: readonly Mark[] = []): Html {
  const scale = scaleOf(curve, points, size, marks);
  const trend = smoothed(points);
  const label = `${curve.title}: ${describe(curve, points)}`;
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label}">
${axes(curve, scale, size)}
<polyline class="raw" points="${points.map((point) => at(scale, middle(point), point.value)).join(' ')}"/>
<polyline class="trend" points="${points.map((point, i) => at(scale, middle(point), trend[i] as number)).join(' ')}"/>
${marks.map((mark) => markOf(mark, scale))}
<g>${points.map((point, i) => hover(curve, points, i, scale, size, point))}</g>
</svg>`;
}

function describe({ format }: Curve, points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return 'no values';
  return `${format(first.value)} at step ${first.fromStep}, ${format(last.value)} at step ${last.toStep}`;
}

function scaleOf({ range }: Curve, points: readonly Point[], size: ChartSize, marks: readonly Mark[]): Scale {
  const values = [...points.map(({ value }) => value), ...marks.flatMap(({ interval }) => [interval.low, interval.high])];
  const steps = [...points.flatMap(({ fromStep, toStep }) => [fromStep, toStep]), ...marks.map(({ step }) => step)];
  const [low, high] = range ?? padded(least(values), most(values));
  const [firstStep, lastStep] = [least(steps), most(steps)];
  const [innerWidth, innerHeight] = [size.width - margin.left - margin.right, size.height - margin.top - margin.bottom];
  return {
    x: (step) => margin.left + innerWidth * (lastStep === firstStep ? 0.5 : (step - firstStep) / (lastStep - firstStep)),
    y: (value) => margin.top + innerHeight * (1 - (value - low) / (high - low)),
    low,
    high,
    firstStep,
    lastStep,
  };
}

function least(values: readonly number[]): number {
  return values.reduce((smallest, value) => Math.min(smallest, value), Number.POSITIVE_INFINITY);
}

function most(values: readonly number[]): number {
  return values.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY);
}

/** A flat curve still needs an axis with two ends; a positive one does not get a negative end. */
function padded(low: number, high: number): readonly [number, number] {
  const room = high > low ? 0.06 * (high - low) : Math.abs(high) * 0.5 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

function axes({ format, axisFormat = format }: Curve, scale: Scale, { width, height }: ChartSize): Html {
  const right = width - margin.right;
  const labelled = [scale.low, (scale.low + scale.high) / 2, scale.high];
  return html`<g class="axis">
${labelled.map((value) => {
  const y = round(scale.y(value));
  return html`<line x1="${margin.left}" x2="${right}" y1="${y}" y2="${y}"/><text x="${margin.left - 7}" y="${y + 3.5}" text-anchor="end">${axisFormat(value)}</text>`;
})}
<text x="${margin.left}" y="${height - 6}">${scale.firstStep}</text><text x="${right}" y="${height - 6}" text-anchor="end">step ${scale.lastStep}</text>
</g>`;
}

function markOf({ step, value, interval, label }: Mark, scale: Scale): Html {
  const x = round(scale.x(step));
  return html`<g class="mark"><title>${label}</title><line x1="${x}" x2="${x}" y1="${round(scale.y(interval.low))}" y2="${round(scale.y(interval.high))}"/><circle cx="${x}" cy="${round(scale.y(value))}" r="4"/></g>`;
}

/** An invisible column as wide as the point's share of the axis, with the value that appears over it. */
function hover({ format }: Curve, points: readonly Point[], index: number, scale: Scale, { width, height }: ChartSize, point: Point): Html {
  const x = scale.x(middle(point));
  const [before, after] = [points[index - 1], points[index + 1]];
  const left = before === undefined ? margin.left : (x + scale.x(middle(before))) / 2;
  const right = after === undefined ? width - margin.right : (x + scale.x(middle(after))) / 2;
  const steps = point.fromStep === point.toStep ? `step ${point.fromStep}` : `steps ${point.fromStep}–${point.toStep}`;
  const anchor = x < width / 3 ? 'start' : x > (2 * width) / 3 ? 'end' : 'middle';
  return html`<g class="point"><rect x="${round(left)}" y="0" width="${round(Math.max(0.5, right - left))}" height="${height}"/><g class="tip"><line x1="${round(x)}" x2="${round(x)}" y1="${margin.top}" y2="${height - margin.bottom}"/><circle cx="${round(x)}" cy="${round(scale.y(point.value))}" r="3.5"/><text x="${round(x)}" y="13" text-anchor="${anchor}">${format(point.value)} · ${steps}</text></g></g>`;
}

function middle({ fromStep, toStep }: Point): number {
  return (fromStep + toStep) / 2;
}

function at(scale: Scale, step: number, value: number): string {
  return `${round(scale.x(step))},${round(scale.y(value))}`;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
