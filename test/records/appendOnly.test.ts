/** @file Append-only files: nothing twice, nothing lost, whatever a crash left at the end. */
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendOnce } from '../../activities/records/appendOnly.ts';
import { readLines } from '../../activities/records/lines.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

interface Line {
  readonly step: number;
  readonly sibling: number;
  readonly text?: string;
}
const identify = ({ step, sibling }: Line) => ({ position: step, key: `r${sibling}` });
const linesOf = (step: number, count: number, text?: string): Line[] =>
  Array.from({ length: count }, (_, sibling) => ({ step, sibling, ...(text === undefined ? {} : { text }) }));
const newFile = async () => join(await temporaryDirectory('lines'), 'deep', 'ledger.jsonl');

test('a file torn anywhere is whole again after the step is repeated', async () => {
  const path = await newFile();
  await appendOnce(path, linesOf(1, 3), identify);
  await appendOnce(path, linesOf(2, 3), identify);
  const whole = await readFile(path);
  const stepTwo = whole.indexOf('{"step":2');
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: stepTwo, max: whole.length }), fc.constantFrom('', '\0\0\0\0', '{"st', '\0\n'), async (cut, garbage) => {
      await writeFile(path, Buffer.concat([whole.subarray(0, cut), Buffer.from(garbage)]));
      await appendOnce(path, linesOf(2, 3), identify);
      expect(await readFile(path, 'utf8')).toBe(whole.toString());
    }),
    { numRuns: 60 },
  );
});

test('a late retry of an old step adds nothing, and a step half written is completed', async () => {
  const path = await newFile();
  for (const step of [1, 2, 3]) await appendOnce(path, linesOf(step, step === 3 ? 1 : 2), identify);
  await appendOnce(path, linesOf(1, 2), identify);
  await appendOnce(path, linesOf(3, 2), identify);
  expect(await readLines(path)).toEqual([...linesOf(1, 2), ...linesOf(2, 2), ...linesOf(3, 2)]);
});

test('attempts that overlap in time write each line once', async () => {
  const path = await newFile();
  await Promise.all(Array.from({ length: 8 }, () => appendOnce(path, linesOf(1, 5), identify)));
  expect(await readLines(path)).toEqual(linesOf(1, 5));
});

test('a long file is read from its end, past windows that hold no whole line', async () => {
  const path = await newFile();
  const long = 'x'.repeat(150_000);
  await appendOnce(path, linesOf(1, 2, long), identify);
  await appendOnce(path, linesOf(2, 3, long), identify);
  await truncate(path, (await readFile(path)).length - 10);
  await appendOnce(path, linesOf(2, 3, long), identify);
  expect((await readLines<Line>(path)).map(({ step, sibling }) => [step, sibling])).toEqual([
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 1],
    [2, 2],
  ]);
});

test('a damaged line in the middle costs that line and no other', async () => {
  const path = await newFile();
  await appendOnce(path, linesOf(1, 1), identify);
  await appendFile(path, 'not json\n');
  await appendOnce(path, linesOf(2, 1), identify);
  expect(await readLines(path)).toEqual([...linesOf(1, 1), ...linesOf(2, 1)]);
});

test('a file that is not there has no lines', async () => {
  expect(await readLines(await newFile())).toEqual([]);
});
