/** @file Model calls against a scripted server: real HTTP, the real SDK, one attempt of an activity at a time. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { retryAfterMs } from '../../activities/scout/modelErrors.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { ModelServer, type Script } from './modelServer.ts';
import { attempt, goodAnalysis, type SampleActivities, sampleActivities, sampleIssue, sampleScope, sampleTarget } from './openSample.ts';
import { sampleRepository } from './sampleIndex.ts';

let server: ModelServer;
let home: string;
let activities: SampleActivities;

beforeEach(async () => {
  server = await ModelServer.start(() => ({ answer: goodAnalysis }));
  home = await temporaryDirectory('calls');
  activities = sampleActivities(home, server.baseUrl);
});
afterEach(() => server.stop());

const analysis = () => ({ scout: 'sample', model: activities.model, issue: { text: sampleIssue }, repository: sampleRepository, target: sampleTarget });
const scoping = () => ({ scout: 'sample', model: activities.model, issue: { text: sampleIssue }, candidates: sampleScope });

/** The failure of an attempt that must fail. */
async function failureOf(work: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApplicationFailure);
  return error as ApplicationFailure;
}

/** As Temporal would: again after every failure that may be tried again. */
async function attempts(
  script: Script,
): Promise<{ readonly failures: readonly ApplicationFailure[]; readonly result: Awaited<ReturnType<SampleActivities['analyze']>> | undefined }> {
  server.script = script;
  const failures: ApplicationFailure[] = [];
  for (let i = 0; i < 8; i++) {
    try {
      return { failures, result: await attempt(activities.analyze, analysis()) };
    } catch (error) {
      failures.push(error as ApplicationFailure);
      if ((error as ApplicationFailure).nonRetryable) break;
    }
  }
  return { failures, result: undefined };
}

test('an answer becomes a finding; the same request is never sent again', async () => {
  const first = await attempt(activities.analyze, analysis());
  expect(first).toMatchObject({ relevance: 0.9, usage: { calls: 1, inputTokens: 100 } });
  const finding = JSON.parse(Buffer.from(await activities.store.get(first.finding)).toString()) as object;
  expect(finding).toMatchObject({ target: 'T1', role: goodAnalysis.role, place: { entity: sampleTarget.entity }, unresolved: [] });
  expect(await attempt(activities.analyze, analysis())).toEqual(first);
  expect(server.requests).toHaveLength(1);
});

test('the stored call holds request and answer, and no key', async () => {
  const secret = 'sk-never-written-down';
  activities = sampleActivities(home, server.baseUrl, { environment: { OPENAI_COMPATIBLE_API_KEY: secret } });
  await attempt(activities.analyze, analysis());
  const calls = join(home, 'scouts', 'sample', 'calls');
  const [name = ''] = readdirSync(calls);
  const text = readFileSync(join(calls, name), 'utf8');
  expect(name).toMatch(/^analyze-[0-9a-f]{64}\.json$/);
  expect(JSON.parse(text)).toMatchObject({ request: { stage: 'analyze', model: { name: 'scripted' } }, answer: { finishReason: 'stop' } });
  expect(text).not.toContain(secret);
});

test('another scout, another issue or another model asks anew', async () => {
  await attempt(activities.analyze, analysis());
  await attempt(activities.analyze, { ...analysis(), scout: 'other' });
  await attempt(activities.analyze, { ...analysis(), issue: { text: 'another' } });
  await attempt(activities.analyze, { ...analysis(), model: { ...activities.model, name: 'other' } });
  await attempt(activities.analyze, { ...analysis(), model: { ...activities.model, price: { input: 1, output: 1 } } });
  expect(server.requests).toHaveLength(4);
});

describe('answers that cannot be used', () => {
  test.each([
    ['bad JSON', { answer: '{"role": "x", ' }, /expected one JSON object/],
    ['prose', { answer: 'I am sorry.' }, /expected one JSON object, got "I am sorry\."/],
    ['cut off by the token limit', { answer: '{"role": "it', finishReason: 'length' as const }, /cut off after 12 characters/],
    ['a tool that nobody offered', { tool: 'search_code' }, /got a call of the tool search_code; there are no tools/],
    ['missing keys', { answer: { role: 'x' } }, /locations: .*insights: /],
    ['a share above one', { answer: { ...goodAnalysis, relevance: 90 } }, /from 0 to 1, got 90/],
    ['nothing', { answer: '' }, /expected one JSON object, got nothing/],
  ])('%s goes back with the complaint, in an attempt of its own', async (_, behaviour, complaint) => {
    const { failures, result } = await attempts(({ repairs }) => (repairs === 0 ? behaviour : { answer: goodAnalysis }));
    expect(failures.map(({ type }) => type)).toEqual(['AnswerToRepair']);
    expect(failures[0]?.message).toMatch(complaint);
    expect(result).toMatchObject({ relevance: 0.9, usage: { calls: 2, inputTokens: 200 } });
    expect(server.requests.map(({ messages }) => messages.length)).toEqual([1, 3]);
    expect(server.requests[1]?.messages[2]).toMatch(complaint);
  });

  test('after two repairs it ends, with what was spent', async () => {
    const { failures, result } = await attempts(() => ({ answer: 'no' }));
    expect(result).toBeUndefined();
    expect(failures.map(({ type, nonRetryable }) => [type, nonRetryable])).toEqual([
      ['AnswerToRepair', false],
      ['AnswerToRepair', false],
      ['InvalidAnswer', true],
    ]);
    expect(failures.at(-1)?.details).toEqual([{ calls: 3, inputTokens: 300, outputTokens: 3 }]);
    expect(server.repeated).toEqual([]);
  });

  test('thoughts and fences around the object are no reason to ask again', async () => {
    server.script = () => ({ answer: `<think>{maybe}</think>Here:\n\`\`\`json\n${JSON.stringify(goodAnalysis)}\n\`\`\`` });
    expect(await attempt(activities.analyze, analysis())).toMatchObject({ usage: { calls: 1 } });
  });

  test('targets that the index does not have are no answer; some that it has are one', async () => {
    const ghost = { file: 'src/ghost.py', entity: 'Ghost', reason: 'r' };
    server.script = ({ repairs }) => ({ answer: { targets: repairs === 0 ? [ghost] : [ghost, { file: 'src/parser.py', entity: 'parse_line', reason: 'r' }] } });
    expect((await failureOf(attempt(activities.scope, scoping()))).message).toMatch(/expected targets that the repository has, got src\/ghost\.py:Ghost/);
    const { targets, unresolved } = await attempt(activities.scope, scoping());
    expect(targets.map(({ entity }) => entity)).toEqual(['src/parser.py:HeaderParser.parse_line']);
    expect(unresolved).toEqual(['src/ghost.py:Ghost']);
  });
});

describe('a provider that fails', () => {
  test.each([
    [429, 'RateLimited', false],
    [500, 'ModelUnavailable', false],
    [503, 'ModelUnavailable', false],
    [408, 'ModelUnavailable', false],
    [400, 'BadModelRequest', true],
    [401, 'BadModelRequest', true],
    [404, 'BadModelRequest', true],
  ])('%i is %s', async (status, type, nonRetryable) => {
    server.script = () => ({ status });
    const failure = await failureOf(attempt(activities.analyze, analysis()));
    expect([failure.type, failure.nonRetryable]).toEqual([type, nonRetryable]);
    expect(failure.message).toContain(`compatible answered ${status}: scripted ${status}`);
    expect(server.requests).toHaveLength(1);
  });

  test('retry-after is when Temporal tries again', async () => {
    server.script = () => ({ status: 429, headers: { 'retry-after': '7' } });
    expect((await failureOf(attempt(activities.analyze, analysis()))).nextRetryDelay).toBe(7000);
    server.script = () => ({ status: 503, headers: { 'retry-after-ms': '250', 'retry-after': '9' } });
    expect((await failureOf(attempt(activities.analyze, analysis()))).nextRetryDelay).toBe(250);
    server.script = () => ({ status: 500 });
    expect((await failureOf(attempt(activities.analyze, analysis()))).nextRetryDelay).toBeUndefined();
  });

  test('retry-after as a date, and never longer than a quarter of an hour', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }, now)).toBe(30_000);
    expect(retryAfterMs({ 'retry-after': '86400' }, now)).toBe(900_000);
    expect(retryAfterMs({ 'retry-after': 'soon' }, now)).toBeUndefined();
    expect(retryAfterMs({}, now)).toBeUndefined();
  });

  test('a connection that breaks in the middle is tried again and nothing is kept', async () => {
    server.script = () => ({ cutAfter: '{"role": "half' });
    const failure = await failureOf(attempt(activities.analyze, analysis()));
    expect([failure.type, failure.nonRetryable]).toEqual(['ModelUnavailable', false]);
    server.script = () => ({ answer: goodAnalysis });
    expect(await attempt(activities.analyze, analysis())).toMatchObject({ usage: { calls: 1 } });
  });

  test('nobody there is tried again', async () => {
    activities = sampleActivities(home, 'http://127.0.0.1:1/v1');
    const failure = await failureOf(attempt(activities.analyze, analysis()));
    expect([failure.type, failure.nonRetryable]).toEqual(['ModelUnavailable', false]);
    expect(failure.message).toMatch(/compatible: .*(ECONNREFUSED|bad port|fetch failed|Cannot connect)/);
  });

  test('a stream that goes silent is given up', async () => {
    activities = sampleActivities(home, server.baseUrl, { silenceMs: 300 });
    server.script = () => ({ silent: true });
    expect((await failureOf(attempt(activities.analyze, analysis()))).message).toBe('compatible: nothing came for 0.3 s; the call was given up');
  });

  test('a slow stream is not', async () => {
    activities = sampleActivities(home, server.baseUrl, { silenceMs: 5000 });
    server.script = () => ({ answer: goodAnalysis, everyMs: 30 });
    expect(await attempt(activities.analyze, analysis())).toMatchObject({ relevance: 0.9 });
  });

  test('without a key the message names the variable', async () => {
    const failure = await failureOf(attempt(activities.analyze, { ...analysis(), model: { provider: 'openai', name: 'gpt-5-mini' } }));
    expect([failure.type, failure.nonRetryable]).toEqual(['NoModelKey', true]);
    expect(failure.message).toContain('OPENAI_API_KEY');
  });
});

test('a server that reports no usage is counted by its text', async () => {
  server.script = () => ({ answer: goodAnalysis, usage: false });
  const { usage } = await attempt(activities.analyze, analysis());
  expect(usage.outputTokens).toBe(Math.ceil(JSON.stringify(goodAnalysis).length / 3));
  expect(usage.inputTokens).toBeGreaterThan(300);
});

test('cancelled, the call ends at once and is not kept', async () => {
  const asked = Promise.withResolvers<void>();
  server.script = async () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const environment = new MockActivityEnvironment();
  const running = environment.run(activities.analyze, analysis());
  await asked.promise;
  environment.cancel();
  await expect(running).rejects.toThrow(/CANCELLED/);
  expect(server.requests[0]?.answered).toBe(false);
});

test('a record that a damaged disk tore is no answer: the call is made again and replaces it', async () => {
  const first = await attempt(activities.analyze, analysis());
  const calls = join(home, 'scouts', 'sample', 'calls');
  const [name = ''] = readdirSync(calls);
  writeFileSync(join(calls, name), '{"request":');
  expect(await attempt(activities.analyze, analysis())).toEqual(first);
  expect(await attempt(activities.analyze, analysis())).toEqual(first);
  expect(server.requests).toHaveLength(2);
});
