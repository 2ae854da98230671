/** @file From a scout to the tasks of a run: one file, two sources, the same questions raw and scouted, so that one run measures the difference. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openTaskSources, type TasksConfig } from '../../activities/tasks/taskSources.ts';
import { promptOf } from '../../core/tasks/registry.ts';
import { runConfigSchema } from '../../workers/config/runConfigSchema.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { headerIssue, makeGitRepository } from './gitRepository.ts';
import { resultOf, ScoutStage } from './scoutStage.ts';

let stage: ScoutStage;
let directory: string;
beforeAll(async () => {
  directory = await temporaryDirectory('bridge');
  stage = await ScoutStage.open({ address: inject('temporalAddress'), home: join(directory, 'home') });
});
afterAll(() => stage.close());

function configOf(file: string): TasksConfig {
  const source = { file, checker: 'exact', heldOutFraction: 0.5, maxTurns: 4 };
  const tasks = [
    { ...source, name: 'raw' },
    { ...source, name: 'scouted', statement: 'scouted' },
  ];
  return runConfigSchema.parse({ seed: 1, policy: { vocabulary: 'bytes', contextLength: 4096 }, tasks }) as TasksConfig;
}

test('a scouted issue becomes a task whose statement is the report; the raw one stays beside it', async () => {
  const repository = await temporaryDirectory('bridge-headers');
  makeGitRepository(repository);
  const questions = ['', 'Seen on Linux.', 'Seen on macOS.', 'Seen twice.'].map((more) => `${headerIssue}${more}`);
  const rows: { readonly prompt: string; readonly answer: string; readonly scouted: string }[] = [];
  for (const prompt of questions) {
    const { scout } = await resultOf(await stage.start(repository, prompt, null));
    const scouted = readFileSync(join(stage.home, 'scouts', scout, 'report.md'), 'utf8');
    rows.push({ prompt, answer: 'headers/parser.py:HeaderParser.parse_line', scouted });
  }
  const file = join(directory, 'issues.jsonl');
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));

  const sources = await openTaskSources(configOf(file));
  for (const split of ['train', 'heldOut'] as const) {
    const [raw, scouted] = [sources.files.get('raw')?.[split] ?? [], sources.files.get('scouted')?.[split] ?? []];
    expect(raw.map(promptOf).map((prompt) => rows.find((row) => row.prompt === prompt)?.scouted)).toEqual(scouted.map(promptOf));
    expect(raw.map(({ checker }) => checker)).toEqual(scouted.map(({ checker }) => checker));
  }
  const [first] = rows;
  const prompts = [...(sources.files.get('scouted')?.train ?? []), ...(sources.files.get('scouted')?.heldOut ?? [])].map(promptOf);
  expect(prompts).toHaveLength(4);
  expect(prompts).toContain(first?.scouted);
  expect(first?.scouted).toContain(headerIssue);
});

test('a row without its report is named', async () => {
  const file = join(directory, 'unscouted.jsonl');
  writeFileSync(file, `${JSON.stringify({ prompt: headerIssue, answer: 'x' })}\n`);
  await expect(openTaskSources(configOf(file))).rejects.toThrow(/unscouted\.jsonl:1: expected the report of `npm run scout` in 'scouted'/);
});
