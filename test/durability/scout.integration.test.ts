/**
 * @file `kill -9` of the scout worker at each stage: the scout completes, its report is the one of an undisturbed scout, and no model call that had
 * been answered is made again. Real supervisor, server and workers; the model is a scripted server here, outside what is killed.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { taskQueues, workflowIds } from '../../core/run/names.ts';
import type { ModelChoice, ScoutResult } from '../../core/scout/run.ts';
import { cannedAnswer } from '../scouting/cannedModel.ts';
import { headerFiles, headerIssue, makeGitRepository } from '../scouting/gitRepository.ts';
import { ModelServer, type Script, type StageName } from '../scouting/modelServer.ts';
import { scoutInput } from '../scouting/scoutStage.ts';
import { Turnwise, until, untilStarted } from './turnwise.ts';

const home = mkdtempSync(join(tmpdir(), 'turnwise-scout-kill-'));
const repository = join(home, 'headers');
let turnwise: Turnwise;
let client: Client;
let server: ModelServer;
let undisturbed: string;

beforeAll(async () => {
  mkdirSync(repository, { recursive: true });
  makeGitRepository(repository);
  server = await ModelServer.start(cannedAnswer);
  turnwise = await Turnwise.prepare(home);
  await turnwise.start();
  client = await turnwise.client();
  await start('undisturbed');
  expect(await resultOf('undisturbed')).toMatchObject({ phase: 'completed', targets: { found: 4, kept: 2 } });
  undisturbed = markdownOf('undisturbed');
}, 300_000);

afterAll(async () => {
  await client.connection.close();
  await turnwise.stop();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}, 60_000);

beforeEach(() => {
  server.requests.length = 0;
  server.script = cannedAnswer;
});

async function start(scout: string, directory = repository): Promise<void> {
  const model: ModelChoice = { provider: 'compatible', name: 'scripted', baseUrl: server.baseUrl };
  const input = await scoutInput(home, directory, headerIssue, model, { scout, limits: { concurrency: 4 } });
  await client.workflow.start('scout', { taskQueue: taskQueues.workflows, workflowId: workflowIds.scout(scout), args: [input] });
}

function resultOf(scout: string): Promise<ScoutResult> {
  return client.workflow.getHandle(workflowIds.scout(scout)).result() as Promise<ScoutResult>;
}

function markdownOf(scout: string): string {
  return readFileSync(join(home, 'scouts', scout, 'report.md'), 'utf8');
}

const isStage =
  (stage: StageName, target = '') =>
  (request: { readonly stage: StageName; readonly target: string | undefined }) =>
    request.stage === stage && (request.target ?? '').endsWith(target);

/** Answers that the worker has and that outlive it: what the promise is about. The server knows of an answer a few milliseconds earlier. */
function keptCalls(scout: string, stage: StageName): number {
  const calls = join(home, 'scouts', scout, 'calls');
  return existsSync(calls) ? readdirSync(calls).filter((name) => name.startsWith(`${stage}-`) && name.endsWith('.json')).length : 0;
}

/** `kill -9`; resolves when another worker has taken its place, and the connections of the dead one are closed. */
async function killWorker(): Promise<void> {
  const pid = turnwise.record('scout')?.pid;
  turnwise.kill('scout');
  await until(() => turnwise.record('scout')?.pid !== pid, 60_000, 'another scout worker');
}

/** Requests that are held get their answer when the worker that asked is dead: only those of its successor hear it. */
async function killedWhile(scout: string, isHeld: (request: Parameters<Script>[0]) => boolean, moment: () => boolean): Promise<void> {
  const scripted = server.script;
  const dead = Promise.withResolvers<void>();
  server.script = async (request, times) => {
    if (isHeld(request)) await dead.promise;
    return scripted(request, times);
  };
  await start(scout);
  await until(moment, 60_000, `the moment to kill the worker of ${scout}`, 20);
  await killWorker();
  dead.resolve();
  await expectUndisturbed(scout);
}

async function expectUndisturbed(scout: string): Promise<void> {
  expect(await resultOf(scout)).toMatchObject({ phase: 'completed', notes: [] });
  expect(server.repeated).toEqual([]);
  expect(markdownOf(scout)).toBe(undisturbed);
}

describe('kill -9 of the scout worker', () => {
  test('while it indexes', async () => {
    const large = join(home, 'large');
    mkdirSync(join(large, 'package'), { recursive: true });
    const body = Array.from({ length: 400 }, (_, i) => `def function_${i}(a, b):\n    """Does ${i}."""\n    return a + b * ${i}\n`).join('\n');
    for (let i = 0; i < 300; i++) writeFileSync(join(large, 'package', `module_${i}.py`), body);
    makeGitRepository(large, headerFiles);
    await start('indexing', large);
    await untilStarted(client, workflowIds.scout('indexing'), 'indexRepository');
    turnwise.kill('scout');
    expect(await resultOf('indexing')).toMatchObject({ phase: 'completed', targets: { found: 4, kept: 2 } });
    expect(server.repeated).toEqual([]);
    const { events } = await client.workflow.getHandle(workflowIds.scout('indexing')).fetchHistory();
    const attempts = (events ?? []).map((event) => event.activityTaskStartedEventAttributes?.attempt ?? 0);
    expect(attempts.filter((attempt) => attempt > 1)).toHaveLength(1);
  }, 180_000);

  test('in the scoping call', async () => {
    await killedWhile('scoping', isStage('scope'), () => server.of('scope').length === 1);
    expect(server.of('scope')).toHaveLength(2);
  }, 180_000);

  test('in the repair of a scoping call whose first answer was useless: that one is not asked for again', async () => {
    server.script = (request) => (request.stage === 'scope' && request.repairs === 0 ? { answer: 'none' } : cannedAnswer(request));
    const isRepair = ({ repairs }: { readonly repairs: number }) => repairs === 1;
    await killedWhile('repairing', isRepair, () => server.requests.some(isRepair));
    expect(server.of('scope').map(({ repairs }) => repairs)).toEqual([0, 1, 1]);
  }, 180_000);

  test('among analyses, some of which were answered', async () => {
    const moment = () => server.of('analyze').length === 4 && keptCalls('analysing', 'analyze') === 2;
    await killedWhile('analysing', (request) => isStage('analyze', 'feed')(request) || isStage('analyze', 'read_request')(request), moment);
    expect(server.of('analyze')).toHaveLength(6);
    expect(server.of('scope')).toHaveLength(1);
  }, 180_000);

  test('in the synthesis', async () => {
    await killedWhile('synthesising', isStage('synthesize'), () => server.of('synthesize').length === 1);
    expect(server.requests.map(({ stage }) => stage).filter((stage) => stage !== 'analyze')).toEqual(['scope', 'synthesize', 'synthesize']);
  }, 180_000);

  test('again and again, once at each stage of one scout', async () => {
    const stages = ['scope', 'analyze', 'synthesize'] as const;
    const dead = { scope: Promise.withResolvers<void>(), analyze: Promise.withResolvers<void>(), synthesize: Promise.withResolvers<void>() };
    server.script = async (request) => {
      await dead[request.stage].promise;
      return cannedAnswer(request);
    };
    await start('everywhere');
    for (const stage of stages) {
      await until(() => server.of(stage).length > 0, 90_000, `the first request of ${stage}`, 20);
      await killWorker();
      dead[stage].resolve();
    }
    await expectUndisturbed('everywhere');
  }, 240_000);
});
