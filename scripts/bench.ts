/**
 * @file Measures what the project promises and prints every figure beside its bar; a shortfall is shown and sets the exit code.
 * @example npm run bench
 * @example npm run bench -- overhead credit --json figures.json
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Figure } from './display/figure.ts';
import { commandNamed, runCommand, say } from './runs/command.ts';

const directory = join(import.meta.dirname, '..', 'bench');
const known = readdirSync(directory)
  .filter((file) => file.endsWith('.ts') && file !== 'figure.ts')
  .map((file) => file.slice(0, -3))
  .toSorted();

const program = commandNamed('bench')
  .description(`Run benchmarks: ${known.join(', ')}. Leave the machine otherwise idle; ratios are measured side by side.`)
  .argument('[names...]', 'which ones (default: all)')
  .option('--json <file>', 'write one object per figure there')
  .parse();

await runCommand(async () => {
  const names = program.args.length > 0 ? program.args : known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`expected benchmarks among ${known.join(', ')}, got ${unknown.join(', ')}`);
  const figures: Figure[] = [];
  const broken: string[] = [];
  for (const name of names) {
    say(`\n${name}`);
    try {
      const measured = await (await measurementOf(name))();
      measured.forEach(print);
      figures.push(...measured);
    } catch (error) {
      broken.push(name);
      say(`  ✗ could not be measured: ${(error as Error).message}`);
    }
    const { json } = program.opts<{ json?: string }>();
    if (json) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  const short = figures.filter(({ pass }) => pass === false);
  say(`\n${figures.length} figures: ${figures.filter(({ pass }) => pass).length} pass, ${short.length} fall short, ${broken.length} benchmarks broken`);
  return short.length + broken.length === 0 ? 0 : 1;
});

/** A module of bench/ exports one function named `…Figures`. */
async function measurementOf(name: string): Promise<() => Promise<Figure[]>> {
  const exports = (await import(pathToFileURL(join(directory, `${name}.ts`)).href)) as Record<string, unknown>;
  const measure = Object.entries(exports).find(([key, value]) => key.endsWith('Figures') && typeof value === 'function')?.[1];
  if (!measure) throw new Error(`bench/${name}.ts: expected an exported function named …Figures, got ${Object.keys(exports).join(', ') || 'nothing'}`);
  return measure as () => Promise<Figure[]>;
}

function print({ name, value, unit, bar, pass, spread, how }: Figure): void {
  const mark = pass === null ? ' ' : pass ? '✓' : '✗';
  const range = spread ? `  (${digits(spread[0])} – ${digits(spread[1])})` : '';
  say(`  ${mark} ${name.padEnd(34)} ${digits(value).padStart(10)} ${unit.padEnd(10)} ${(bar ?? '').padEnd(12)}${range}\n      ${how}`);
}

function digits(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : value
        .toPrecision(4)
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
}
