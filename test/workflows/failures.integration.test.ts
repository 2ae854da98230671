/** @file What fails stays small: a rollout, then a group, then a wait for an operator; never a reward, never a lost run. */
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { playingQueue } from '../../core/run/names.ts';
import type { EvaluateInput, Progress, TrainResult } from '../../core/run/types.ts';
import { runWith } from './runs.ts';
import { policyRef } from './scene.ts';
import { Stage } from './stage.ts';

/** One step and nothing around it. */
const oneStep = runWith({
  warmup: { steps: 0 },
  gate: { minSampledSolved: 0 },
  evaluation: { tasks: 0 },
  training: { steps: 1, tasksPerStep: 2, groupSize: 3 },
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('temporalAddress'));
});
afterAll(() => stage.close());

test('a failing generate is retried; one that fails for good excludes its sibling alone', async () => {
  let hiccups = 0;
  const { run, scene } = stage.scene('retry', (scripted) => ({
    generate: async (input) => {
      if (input.sibling === 0 && hiccups++ === 0) throw new Error('connection lost');
      if (input.sibling === 2 && input.turn === 1) throw ApplicationFailure.nonRetryable('no such checkpoint', 'CheckpointMissing');
      return scripted.generate(input);
    },
  }));
  const result = (await (await stage.train(run, oneStep)).result()) as TrainResult;
  expect(result.phase).toBe('completed');
  const played = scene.inputs('grade').flatMap(({ rollouts }) => rollouts);
  expect(played.map(({ sibling, stopReason }) => [sibling, stopReason])).toEqual(
    [0, 1, 2, 0, 1, 2].map((sibling) => [sibling, sibling === 2 ? 'modelError' : 'submitted']),
  );
  const failed = played.find(({ sibling }) => sibling === 2);
  expect(failed?.failure).toBe('generate: CheckpointMissing: no such checkpoint');
  expect(failed?.turns).toHaveLength(1);
});

test('a sandbox that cannot be had is infra_error of its sibling; the turn before it is kept', async () => {
  const { run, scene } = stage.scene('infra', (scripted) => ({
    execute: async (input) => {
      if (input.rollout.endsWith('r1')) throw ApplicationFailure.nonRetryable('no runtime', 'SandboxUnavailable');
      return scripted.execute(input);
    },
  }));
  await (await stage.train(run, oneStep)).result();
  const [first] = scene.inputs('grade');
  const failed = first?.rollouts.find(({ sibling }) => sibling === 1);
  expect(failed).toMatchObject({ stopReason: 'infraError', failure: 'execute: SandboxUnavailable: no runtime' });
  expect(failed?.turns.map(({ action, execution }) => [action.kind, execution])).toEqual([['code', undefined]]);
});

test('a lost sandbox worker: the committed cells are replayed elsewhere and the turn says so', async () => {
  const { run, scene } = stage.scene('lost', (scripted) => ({
    generate: async (input) => ({
      ...(await scripted.generate({ ...input, turn: 0 })),
      ...(input.turn === 2
        ? { action: { kind: 'answer' as const, answer: { text: 'right' } } }
        : { action: { kind: 'code' as const, code: { text: `cell ${input.turn}` } } }),
    }),
    execute: async (input) => {
      const result = await scripted.execute(input);
      const gone = { ...result.sandbox, taskQueue: `turnwise-sandbox-gone-${run}` };
      return input.turn === 0 && input.rollout.endsWith('r0') ? { ...result, sandbox: gone } : result;
    },
  }));
  await (await stage.train(run, oneStep)).result();
  const again = scene.inputs('execute').filter(({ rollout, turn }) => rollout.endsWith('t0/r0') && turn === 1);
  expect(again).toMatchObject([{ committedCells: [{ text: 'cell 0' }], code: { text: 'cell 1' } }]);
  expect(again[0]).not.toHaveProperty('sandbox');
  const [first] = scene.inputs('grade').filter(({ rollouts }) => rollouts[0]?.task.index === 0);
  expect(first?.rollouts.map(({ turns }) => turns.map(({ replayed }) => replayed))).toEqual([
    [false, true, false],
    [false, false, false],
    [false, false, false],
  ]);
});

test('a broken sandbox is given back and opened again, at once', async () => {
  const { run, scene } = stage.scene('broken', (scripted) => ({
    generate: async (input) => ({
      ...(await scripted.generate({ ...input, turn: 0 })),
      ...(input.turn === 2
        ? { action: { kind: 'answer' as const, answer: { text: 'right' } } }
        : { action: { kind: 'code' as const, code: { text: `cell ${input.turn}` } } }),
    }),
    execute: async (input) => {
      if (input.sandbox !== undefined && input.rollout.endsWith('t1/r2')) throw ApplicationFailure.retryable('stream ended', 'SandboxBroken');
      return scripted.execute(input);
    },
  }));
  await (await stage.train(run, oneStep)).result();
  const executed = scene.inputs('execute').filter(({ rollout }) => rollout.endsWith('t1/r2'));
  expect(executed.map(({ turn, sandbox, committedCells }) => [turn, sandbox !== undefined, committedCells.length])).toEqual([
    [0, false, 0],
    [1, true, 1],
    [1, false, 1],
  ]);
  const closed = scene
    .inputs('closeSandboxes')
    .flatMap(({ sandboxes }) => sandboxes)
    .filter(({ id }) => id.includes('t1/r2#'));
  expect(closed).toHaveLength(2);
});

test('a group that fails altogether is left out with its reason; the step goes on', async () => {
  const { run, scene } = stage.scene('group', (scripted) => ({
    grade: async (input) => {
      if (input.rollouts[0]?.task.index === 1) throw ApplicationFailure.nonRetryable('checker exploded', 'CheckerFailed');
      return scripted.grade(input);
    },
  }));
  await (await stage.train(run, oneStep)).result();
  const [credit] = scene.inputs('advantages');
  expect(credit?.groups.map(({ taskId, trajectories, failure }) => [taskId, trajectories.length, failure])).toEqual([
    ['chain/train/0', 1, undefined],
    ['chain/train/1', 0, `train/${run}/s1/t1: grade: CheckerFailed: checker exploded`],
  ]);
});

test('a step without any reward waits for an operator and is played again after resume', async () => {
  let broken = true;
  const { run, scene } = stage.scene('nothing', (scripted) => ({
    generate: async (input) => {
      if (broken) throw ApplicationFailure.nonRetryable('out of memory', 'PolicyBroken');
      return scripted.generate(input);
    },
  }));
  const handle = await stage.train(run, oneStep);
  const waiting = await phaseOf(handle, 'waiting-for-operator');
  expect(waiting.reason).toBe('NothingPlayed: no rollout of step 1 has a reward: model_error (chain/train/0, r0): generate: PolicyBroken: out of memory');
  broken = false;
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 1 });
  expect(scene.inputs('update')).toHaveLength(1);
});

test('an update that fails for good parks the run; hyperparameters set meanwhile apply to the retried update', async () => {
  const { run, scene } = stage.scene('park', (scripted) => ({
    update: async (input) => {
      if (input.hyperparameters.lr > 1e-4) throw ApplicationFailure.nonRetryable('largest difference 0.4, allowed 0.05', 'LogprobGateClosed');
      return scripted.update(input);
    },
  }));
  const handle = await stage.train(run, oneStep);
  const waiting = await phaseOf(handle, 'waiting-for-operator');
  expect(waiting.reason).toBe('update: LogprobGateClosed: largest difference 0.4, allowed 0.05');
  const step = await stage.client.workflow.getHandle(`train/${run}/s1`).describe();
  expect(step.status.name).toBe('RUNNING');
  expect(step.typedSearchAttributes.getAll().find(({ key }) => key.name === 'TurnwisePhase')?.value).toBe('waiting-for-operator');
  await handle.executeUpdate('setHyperparameters', { args: [{ lr: 5e-5, clipHigh: 0.2 }] });
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed', policy: policyRef(1) });
  expect(scene.inputs('update').map(({ hyperparameters }) => [hyperparameters.lr, hyperparameters.clipHigh])).toEqual([
    [4e-4, 0.28],
    [5e-5, 0.2],
  ]);
  expect(scene.inputs('generate').filter(({ turn }) => turn === 0)).toHaveLength(6);
});

test('a terminated step waits for an operator too, and is played again', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { run } = stage.scene('terminated', (scripted) => ({
    update: async (input) => {
      await released;
      return scripted.update(input);
    },
  }));
  const handle = await stage.train(run, oneStep);
  await phaseOf(handle, 'update');
  await stage.client.workflow.getHandle(`train/${run}/s1`).terminate('by hand');
  const waiting = await phaseOf(handle, 'waiting-for-operator');
  expect(waiting.reason).toMatch(new RegExp(`^train/${run}/s1: `));
  release();
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 1 });
});

test.each(['generate', 'update'] as const)('a checkpoint that %s refuses: the run goes on from the one before by itself, with a warning', async (who) => {
  const warning = 'checkpoint global_step_2: the file was changed. Refused';
  let [prepared, damaged] = [0, true];
  const { run, scene } = stage.scene(`refused-${who}`, (scripted) => ({
    prepareRun: async (input) => {
      if (prepared++ === 0) return scripted.prepareRun(input);
      damaged = false;
      return { policy: policyRef(1), warmupStep: 0, step: 1, before: [], warnings: [warning] };
    },
    [who]: async (input: Parameters<typeof scripted.generate>[0] & Parameters<typeof scripted.update>[0]) => {
      if (damaged && input.policy.policyVersion === 2) throw ApplicationFailure.nonRetryable('the file was changed', 'BadCheckpoint');
      return scripted[who](input);
    },
  }));
  const handle = await stage.train(run, { ...oneStep, training: { ...oneStep.training, steps: 3 } });
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 3, policy: policyRef(3) });
  expect((await handle.query<Progress>('progress')).warnings).toEqual([warning]);
  const steps = scene.inputs('recordStep').map(({ step }) => step);
  expect(steps).toEqual([1, 2, 2, 3]);
  const graded = scene.inputs('grade').map(({ step }) => step);
  expect(graded.filter((step) => step === 3)).toHaveLength(who === 'generate' ? 2 : 4);
});

test('a checkpoint that only the policy worker refuses waits for an operator, not for ever', async () => {
  let damaged = true;
  const { run, scene } = stage.scene('refused-there', (scripted) => ({
    generate: async (input) => {
      if (damaged) throw ApplicationFailure.nonRetryable('the file was changed', 'BadCheckpoint');
      return scripted.generate(input);
    },
  }));
  const handle = await stage.train(run, oneStep);
  expect((await phaseOf(handle, 'waiting-for-operator')).reason).toMatch(/BadCheckpoint: .*the file was changed/);
  expect(scene.inputs('prepareRun')).toHaveLength(2);
  damaged = false;
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 1 });
});

test('an evaluation by itself fails with the reason instead of waiting for an operator whom nobody told', async () => {
  const { run } = stage.scene('alone', () => ({
    generate: async () => {
      throw ApplicationFailure.nonRetryable('out of memory', 'PolicyBroken');
    },
  }));
  const config = { seed: 0, temperature: 1, topK: 0, topP: 1, maxTokensPerTurn: 20, rolloutTimeoutMs: null };
  const input: EvaluateInput = { run, step: 0, policy: policyRef(0), mode: 'greedy', tasks: 2, samplesPerTask: 1, config };
  const failed = stage.client.workflow.execute('evaluate', { taskQueue: playingQueue, workflowId: `evaluate/${run}`, args: [input] });
  const message = 'no rollout of this page can be counted: model_error (chain/heldOut/0, r0): generate: PolicyBroken: out of memory';
  await expect(failed).rejects.toMatchObject({ cause: { type: 'NothingPlayed', message } });
});

test('a report that cannot be written does not cost the run', async () => {
  const { run } = stage.scene('report', () => ({
    writeReport: async () => {
      throw ApplicationFailure.nonRetryable('no space left on device');
    },
  }));
  const result = (await (await stage.train(run, oneStep)).result()) as TrainResult;
  expect(result).toMatchObject({ phase: 'completed', steps: 1, reason: 'the report was not written: writeReport: no space left on device' });
});

async function phaseOf(handle: Awaited<ReturnType<Stage['train']>>, phase: Progress['phase']): Promise<Progress> {
  return vi.waitFor(
    async () => {
      const progress = await handle.query<Progress>('progress');
      expect(progress.phase).toBe(phase);
      return progress;
    },
    { timeout: 60_000, interval: 100 },
  );
}
