/** @file The workflow `scout` on a real server: what it makes of an issue, with a model and without, when calls fail, when the budget ends, when it is cancelled. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test, vi } from 'vitest';
import { callCeilings, tokensOf } from '../../core/scout/budget.ts';
import type { ScoutReport } from '../../core/scout/report.ts';
import type { ModelChoice } from '../../core/scout/run.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { largestPayload } from '../workflows/histories.ts';
import { analysisOf, cannedAnswer } from './cannedModel.ts';
import { headerFiles, headerIssue, makeGitRepository } from './gitRepository.ts';
import { ModelServer } from './modelServer.ts';
import { progressOf, resultOf, ScoutStage } from './scoutStage.ts';

let stage: ScoutStage;
let server: ModelServer;
let repository: string;
let commit: string;
let model: ModelChoice;

beforeAll(async () => {
  stage = await ScoutStage.open({ address: inject('temporalAddress'), home: await temporaryDirectory('scout') });
  repository = await temporaryDirectory('headers');
  commit = makeGitRepository(repository);
});
afterAll(() => stage.close());
beforeEach(async () => {
  server = await ModelServer.start(cannedAnswer);
  model = { provider: 'compatible', name: 'scripted', baseUrl: server.baseUrl };
});
afterEach(() => server.stop());

function recordOf(scout: string, file: string): string {
  return readFileSync(join(stage.home, 'scouts', scout, file), 'utf8');
}

const validate = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/scout-report.schema.json'), 'utf8')) as object,
);

/** Every report that a test looks at fits the published schema. */
function reportOf(scout: string): ScoutReport {
  const report = JSON.parse(recordOf(scout, 'report.json')) as ScoutReport;
  validate(report);
  expect(validate.errors).toBeNull();
  return report;
}

test('an issue is completed: scoped, analysed, filtered, synthesised, every claim with its place', async () => {
  const handle = await stage.start(repository, headerIssue, { ...model, price: { input: 1, output: 10 } });
  const result = await resultOf(handle);
  expect(result).toMatchObject({ phase: 'completed', commit, targets: { found: 4, analyzed: 4, kept: 2 }, notes: [] });
  expect(result.usage).toMatchObject({ scope: { calls: 1 }, analyze: { calls: 4, inputTokens: 400 }, synthesize: { calls: 1 } });
  const markdown = recordOf(result.scout, 'report.md');
  const at = `headers/parser.py:13@${commit.slice(0, 12)}`;
  expect(markdown).toContain(headerIssue);
  expect(markdown).toContain(`- \`HeaderParser.parse_line\` in \`headers/parser.py\` (\`${at}\`, confidence 0.95): the split has no limit`);
  const report = reportOf(result.scout);
  expect(report.targets.map(({ entity, state, relevance }) => [entity, state, relevance])).toEqual([
    ['headers/parser.py:HeaderParser.parse_line', 'kept', 0.95],
    ['headers/parser.py:HeaderParser.feed', 'kept', 0.5],
    ['headers/server.py:read_request', 'filtered', 0.3],
    ['headers/format.py:format_headers', 'filtered', 0.1],
  ]);
  expect(report.unresolved).toEqual(['ghost_function()', 'headers/ghost.py:Ghost']);
  expect(report.facts.lost).toEqual([]);
  expect(report.cost?.total).toBeGreaterThan(0);
  expect(recordOf(result.scout, 'report.html')).toContain('HeaderParser.parse_line raises ValueError');
  expect((await progressOf(handle)).phase).toBe('completed');
  const { searchAttributes } = await handle.describe();
  expect(searchAttributes).toMatchObject({ TurnwiseRun: [result.scout], TurnwisePhase: ['completed'] });
});

test('without a model the same workflow reports what a search finds, the same bytes every time', async () => {
  const results = [];
  for (let i = 0; i < 2; i++) results.push(await resultOf(await stage.start(repository, headerIssue, null)));
  const [first, second] = results;
  expect(first).toMatchObject({ phase: 'completed', commit, notes: [], usage: { scope: { calls: 0 } } });
  for (const file of ['report.md', 'report.json', 'report.html']) expect(recordOf(first?.scout ?? '', file)).toBe(recordOf(second?.scout ?? '', file));
  const { targets } = reportOf(first?.scout ?? '');
  expect(targets[0]?.entity).toBe('headers/parser.py:HeaderParser.parse_line');
  expect(server.requests).toEqual([]);
});

test('a plain folder without git is scouted too, its content in the place of the commit', async () => {
  const folder = await temporaryDirectory('folder');
  const plain = join(folder, 'plain');
  mkdirSync(plain);
  makeFolder(plain);
  const result = await resultOf(await stage.start(plain, headerIssue, null));
  const { repository: indexed } = reportOf(result.scout);
  expect(indexed.commit).toBeNull();
  expect(recordOf(result.scout, 'report.md')).toContain(`headers/parser.py:13@${indexed.contentHash.slice(0, 12)}`);
});

test('rate limits and errors of a provider cost calls, not the scout; retry-after is waited for', async () => {
  const waits: number[] = [];
  server.script = (request, times) => {
    if (request.stage === 'scope' && times === 0) return { status: 429, headers: { 'retry-after': '2' } };
    if (request.stage === 'scope') waits.push(request.atMs - (server.of('scope')[0]?.atMs ?? 0));
    if (request.target?.endsWith('feed') && times === 0) return { status: 500 };
    if (request.target?.endsWith('read_request') && times === 0) return { cutAfter: '{"role"' };
    return cannedAnswer(request);
  };
  const result = await resultOf(await stage.start(repository, headerIssue, model));
  expect(result).toMatchObject({ phase: 'completed', targets: { analyzed: 4, kept: 2 }, usage: { scope: { calls: 1 }, analyze: { calls: 4 } } });
  expect(waits[0]).toBeGreaterThanOrEqual(1900);
  expect(server.of('scope')).toHaveLength(2);
  expect(server.of('analyze')).toHaveLength(6);
  expect(server.repeated).toEqual([]);
});

test('a target whose answers cannot be used is dropped with its reason; the report is marked as partial', async () => {
  server.script = (request) => {
    if (request.target?.endsWith('feed')) return { answer: 'no idea' };
    if (request.target?.endsWith('read_request') && request.repairs < 2) return { tool: 'grep' };
    return cannedAnswer(request);
  };
  const result = await resultOf(await stage.start(repository, headerIssue, model));
  expect(result).toMatchObject({ phase: 'partial', targets: { found: 4, analyzed: 3, kept: 1 }, usage: { analyze: { calls: 8 } } });
  expect(result.notes).toEqual([
    expect.stringMatching(/^T2 has no analysis: analyze: InvalidAnswer: no usable answer after 2 repairs: expected one JSON object/),
  ]);
  expect(recordOf(result.scout, 'report.md')).toMatch(/^# .*\n\n> \*\*Partial:\*\* T2 has no analysis/);
  expect(reportOf(result.scout).complete).toBe(false);
  expect(server.repeated).toEqual([]);
});

test('without a usable scoping the static targets are analysed; without a synthesis the findings are listed', async () => {
  server.script = (request) => {
    if (request.stage === 'scope') return { answer: { targets: [] } };
    if (request.stage === 'synthesize') return { answer: 'prose', finishReason: 'length' };
    return { answer: analysisOf(request.target ?? '') };
  };
  const result = await resultOf(await stage.start(repository, headerIssue, model));
  expect(result.phase).toBe('partial');
  expect(result.notes.map((note) => note.split('(')[0])).toEqual(['no scoping by the model ', 'no synthesis ']);
  const { sections, targets } = reportOf(result.scout);
  expect(targets[0]?.entity).toBe('headers/parser.py:HeaderParser.parse_line');
  expect(sections.locations).toMatchObject([{ entity: 'headers/parser.py:HeaderParser.parse_line', confidence: 0.9 }]);
});

test('a provider that refuses the first call ends the scout with what to do', async () => {
  server.script = () => ({ status: 401 });
  const failed = await resultOf(await stage.start(repository, headerIssue, model)).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(WorkflowFailedError);
  expect(((failed as WorkflowFailedError).cause as Error).message).toMatch(/compatible answered 401.*check the key/);
  expect(server.requests).toHaveLength(1);
});

test('a missing key and a missing commit are said, and tried once', async () => {
  const failureOf = async (handle: Awaited<ReturnType<ScoutStage['start']>>) => {
    const failed = (await handle.result().catch((error: unknown) => error)) as { readonly cause: Error & { readonly cause?: Error } };
    return failed.cause.cause?.message ?? failed.cause.message;
  };
  expect(await failureOf(await stage.start(repository, headerIssue, { provider: 'openai', name: 'gpt-5-mini' }))).toContain('OPENAI_API_KEY');
  expect(await failureOf(await stage.start(repository, headerIssue, null, { repository: { directory: repository, commit: 'no-such-branch' } }))).toContain(
    'no-such-branch',
  );
});

test('the budget ends the analyses in the order of scoping, keeps enough for the synthesis, and the report says what is missing', async () => {
  const worst = (name: keyof typeof callCeilings) => callCeilings[name].inputTokens + callCeilings[name].outputTokens;
  // Scoping and one analysis take little; a second worst case beside the synthesis does not fit any more.
  const tokens = worst('analyze') + worst('synthesize') + 400;
  const result = await resultOf(await stage.start(repository, headerIssue, model, { limits: { tokens, concurrency: 2 } }));
  expect(result.phase).toBe('partial');
  const { targets } = reportOf(result.scout);
  const states = targets.map(({ state }) => state);
  expect(states[0]).toBe('kept');
  expect(states.slice(states.indexOf('unaffordable')).every((state) => state === 'unaffordable')).toBe(true);
  expect(result.notes).toEqual([expect.stringMatching(/^the budget of [\d,]+ tokens ended before T\d/)]);
  expect(tokensOf(result.usage.scope) + tokensOf(result.usage.analyze) + tokensOf(result.usage.synthesize)).toBeLessThanOrEqual(tokens);
  expect(server.of('synthesize')).toHaveLength(1);
});

test('analyses are side by side up to the bound, and the order of their ends changes nothing', async () => {
  let [inFlight, most] = [0, 0];
  const slowFirst = async (request: Parameters<typeof cannedAnswer>[0]) => {
    if (request.stage !== 'analyze') return cannedAnswer(request);
    most = Math.max(most, ++inFlight);
    const first = request.target?.endsWith('parse_line') === true;
    await new Promise((resolve) => setTimeout(resolve, first ? 1500 : 200));
    inFlight--;
    return cannedAnswer(request);
  };
  const before = await resultOf(await stage.start(repository, headerIssue, model, { limits: { concurrency: 2 } }));
  server.script = slowFirst;
  const after = await resultOf(await stage.start(repository, headerIssue, model, { limits: { concurrency: 2 } }));
  expect(most).toBe(2);
  expect(recordOf(after.scout, 'report.md')).toBe(recordOf(before.scout, 'report.md'));
});

test('progress counts targets while they are analysed; cancelled, the calls end and nothing is asked any more', async () => {
  const held = Promise.withResolvers<void>();
  server.script = async (request) => {
    if (request.target?.endsWith('feed')) await held.promise;
    return cannedAnswer(request);
  };
  const handle = await stage.start(repository, headerIssue, model, { limits: { concurrency: 2 } });
  const waiting = await vi.waitFor(
    async () => {
      const progress = await progressOf(handle);
      expect(progress.targets.map(({ state }) => state)).toEqual(['kept', 'analyzing', 'filtered', 'filtered']);
      return progress;
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(waiting).toMatchObject({ phase: 'analyzing', commit, usage: { analyze: { calls: 3 } } });
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  held.resolve();
  expect(server.of('synthesize')).toEqual([]);
});

test('started again under its name, a scout asks only what was not answered', async () => {
  const changes = { scout: `again-${Date.now()}` };
  server.script = (request) => (request.stage === 'synthesize' ? { status: 400 } : cannedAnswer(request));
  expect((await resultOf(await stage.start(repository, headerIssue, model, changes))).notes).toEqual([expect.stringContaining('no synthesis')]);
  server.script = cannedAnswer;
  expect(await resultOf(await stage.start(repository, headerIssue, model, changes))).toMatchObject({ phase: 'completed' });
  expect(server.requests.map(({ stage: name }) => name).sort()).toEqual(['analyze', 'analyze', 'analyze', 'analyze', 'scope', 'synthesize', 'synthesize']);
});

test('payloads stay below 64 KiB with a long issue and the most targets', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `package/module_${i}/parse_line_${i}.py`,
      `def parse_line_${i}_${'long_'.repeat(20)}(line):\n    """parse_line of headers."""\n    return line\n`,
    ]),
  );
  const large = await temporaryDirectory('large');
  makeGitRepository(large, files);
  server.script = (request) => {
    if (request.stage !== 'scope') return cannedAnswer(request);
    const named = Object.keys(files).map((file) => ({ file, entity: '', reason: 'ü'.repeat(1000) }));
    return { answer: { targets: named } };
  };
  const handle = await stage.start(large, `parse_line fails\n${'parse_line_7 header line\n'.repeat(20_000)}`, model);
  expect((await resultOf(handle)).targets).toMatchObject({ found: 15 });
  const history = await handle.fetchHistory();
  expect(largestPayload(history)).toBeLessThan(64 * 1024);
});

function makeFolder(directory: string): void {
  for (const [path, content] of Object.entries(headerFiles)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}
