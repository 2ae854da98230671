/** @file What an operator says to a run, and how a run ends before its time. */
import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { hyperparametersOf } from '../../core/run/hyperparameters.ts';
import type { Progress, TrainResult } from '../../core/run/types.ts';
import { endedExecutions, historiesOf, largestPayload } from './histories.ts';
import { runWith } from './runs.ts';
import { answer, cannedPolicy, code, policyRef, taskCard } from './scene.ts';
import { Stage } from './stage.ts';

const steps = runWith({
  warmup: { steps: 0 },
  gate: { minSampledSolved: 0 },
  evaluation: { tasks: 0 },
  training: { steps: 2, tasksPerStep: 1, groupSize: 2 },
});

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open(inject('temporalAddress'));
});
afterAll(() => stage.close());

/** A promise and the function that resolves it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('pause takes effect between steps, resume goes on; hyperparameters set meanwhile hold from the next step', async () => {
  const first = gate();
  const { run, scene } = stage.scene('pause', (scripted) => ({
    update: async (input) => {
      if (input.step === 1) await first.opened;
      return scripted.update(input);
    },
  }));
  const handle = await stage.train(run, steps);
  await vi.waitFor(() => expect(scene.inputs('update')).toHaveLength(1), { timeout: 60_000 });
  await handle.signal('pause');
  const changed = await handle.executeUpdate('setHyperparameters', { args: [{ lr: 1e-4, temperature: 0.8, gamma: 0.95 }] });
  expect(changed).toMatchObject({ lr: 1e-4, temperature: 0.8, gamma: 0.95, alpha: 0.5 });
  first.open();
  const paused = await phaseOf(handle, 'paused');
  expect(paused).toMatchObject({ step: 1, policyVersion: 1, hyperparameters: { lr: 1e-4 } });
  expect(paused.reason).toContain('resume');
  expect(scene.inputs('drawTasks')).toHaveLength(1);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 2 });
  expect(scene.inputs('update').map(({ hyperparameters, temperature }) => [hyperparameters.lr, temperature])).toEqual([
    [4e-4, 1],
    [1e-4, 0.8],
  ]);
  expect(scene.inputs('advantages').map(({ credit }) => credit.gamma)).toEqual([0.9, 0.95]);
  expect(scene.inputs('generate').map(({ sampling }) => sampling.temperature)).toEqual([1, 1, 1, 1, 0.8, 0.8, 0.8, 0.8]);
});

test('a run that is started again goes on with the hyperparameters of its newest step, and with what was set since', async () => {
  const held = gate();
  const { run, scene } = stage.scene('again', (scripted) => ({
    prepareRun: async () => {
      await held.opened;
      const kept = { ...hyperparametersOf(steps), lr: 1e-4, gamma: 0.95 };
      return { policy: policyRef(1), warmupStep: 0, step: 1, before: [], warnings: [], hyperparameters: kept };
    },
    update: scripted.update,
  }));
  const handle = await stage.train(run, steps);
  await handle.executeUpdate('setHyperparameters', { args: [{ gamma: 0.8 }] });
  held.open();
  expect(await handle.result()).toMatchObject({ phase: 'completed', steps: 2 });
  expect(scene.inputs('update').map(({ step, hyperparameters: { lr, gamma, alpha } }) => [step, lr, gamma, alpha])).toEqual([[2, 1e-4, 0.8, 0.5]]);
});

test('a pause during the warm-up takes effect between its commits', async () => {
  const first = gate();
  const { run, scene } = stage.scene('warmup', (scripted) => ({
    warmUp: async (input) => {
      await first.opened;
      return scripted.warmUp(input);
    },
  }));
  const handle = await stage.train(run, runWith({ gate: { minSampledSolved: 0 }, evaluation: { tasks: 0 }, training: { steps: 0 } }));
  await vi.waitFor(() => expect(scene.inputs('warmUp')).toHaveLength(1), { timeout: 60_000 });
  await handle.signal('pause');
  await vi.waitFor(
    async () =>
      expect(
        (await stage.client.workflow.getHandle(`train/${run}/warmup`).fetchHistory()).events?.some((event) => event.workflowExecutionSignaledEventAttributes),
      ).toBe(true),
    {
      timeout: 60_000,
    },
  );
  first.open();
  expect(await phaseOf(handle, 'paused')).toMatchObject({ warmupStep: 2, metrics: { loss: 1.5 } });
  expect(scene.inputs('warmUp')).toHaveLength(1);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ phase: 'completed' });
  expect(scene.inputs('warmUp')).toHaveLength(2);
});

test('refused hyperparameters name the key, the range and the value, and change nothing', async () => {
  const held = gate();
  const { run } = stage.scene('refused', (scripted) => ({
    prepareRun: async (input) => {
      await held.opened;
      return scripted.prepareRun(input);
    },
  }));
  const handle = await stage.train(run, steps);
  const refusal = (change: object) =>
    handle.executeUpdate('setHyperparameters', { args: [change] }).then(
      () => 'accepted',
      (error: Error) => (error.cause as Error).message,
    );
  expect(await refusal({ lr: 1e-4, learningRate: 1 })).toMatch(/unknown hyperparameter 'learningRate'; expected one of lr, temperature/);
  expect(await refusal({ lr: -1 })).toBe('setHyperparameters: lr: expected a number from 0 to 1, got -1');
  expect(await refusal({ gamma: '0.9' })).toBe('setHyperparameters: gamma: expected a number from 0 to 1, got "0.9"');
  expect(await refusal({})).toMatch(/expected at least one of lr/);
  expect((await handle.query<Progress>('progress')).hyperparameters.lr).toBe(4e-4);
  held.open();
  await handle.result();
});

test('cancel with a reason: children end, sandboxes are given back, the reason is on record', async () => {
  const playing = gate();
  const { run, scene } = stage.scene('cancel', (scripted) => ({
    generate: async (input) => {
      if (input.turn === 1) await playing.opened;
      return scripted.generate(input);
    },
  }));
  const handle = await stage.train(run, steps);
  await vi.waitFor(() => expect(scene.inputs('generate').filter(({ turn }) => turn === 1)).toHaveLength(2), { timeout: 60_000 });
  await handle.signal('cancel', 'the data set is wrong');
  const result = (await handle.result()) as TrainResult;
  playing.open();
  expect(result).toMatchObject({ phase: 'cancelled', reason: 'the data set is wrong', steps: 0, policy: policyRef(0) });
  const statuses = new Map((await historiesOf(stage.client, run)).map(({ workflowId, status }) => [workflowId.slice(`train/${run}`.length), status]));
  expect(statuses).toEqual(
    new Map([
      ['', 'COMPLETED'],
      ['/s1', 'CANCELLED'],
      ['/s1/t0', 'CANCELLED'],
    ]),
  );
  expect(scene.inputs('closeSandboxes').flatMap(({ sandboxes }) => sandboxes)).toHaveLength(2);
  expect(scene.inputs('grade')).toEqual([]);
  expect(scene.inputs('writeReport')).toEqual([{ run, ending: { phase: 'cancelled', reason: 'the data set is wrong' } }]);
});

test('cancelled through Temporal, the run has status cancelled', async () => {
  const playing = gate();
  const { run } = stage.scene('stop', (scripted) => ({
    update: async (input) => {
      await playing.opened;
      return scripted.update(input);
    },
  }));
  const handle = await stage.train(run, steps);
  await phaseOf(handle, 'update');
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  playing.open();
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  await endedExecutions(stage.client, run);
});

test('terminating train ends every child and frees every sandbox; the run can be started again at once', async () => {
  const playing = gate();
  const { run, scene } = stage.scene('terminate', (scripted) => ({
    generate: async (input) => {
      if (input.turn === 1) await playing.opened;
      return scripted.generate(input);
    },
  }));
  const handle = await stage.train(run, steps);
  await vi.waitFor(() => expect(scene.inputs('generate').filter(({ turn }) => turn === 1)).toHaveLength(2), { timeout: 60_000 });
  await handle.terminate('enough');
  const again = await stage.train(run, steps);
  await vi.waitFor(() => expect(scene.inputs('closeSandboxes').flatMap(({ sandboxes }) => sandboxes)).toHaveLength(2), { timeout: 60_000 });
  playing.open();
  expect(await again.result()).toMatchObject({ phase: 'completed', steps: 2 });
  const ended = await historiesOf(stage.client, run);
  expect(
    ended
      .filter(({ workflowId }) => workflowId.endsWith('/s1/t0'))
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['CANCELLED', 'COMPLETED']);
});

test('a rollout past its deadline is truncated, not an error; its siblings are graded', async () => {
  const stuck = gate();
  const { run, scene } = stage.scene('deadline', (scripted) => ({
    generate: async (input) => {
      if (input.sibling === 1) await stuck.opened;
      return scripted.generate(input);
    },
  }));
  await (await stage.train(run, runWith({ ...steps, training: { ...steps.training, steps: 1 }, limits: { rolloutTimeoutMs: 3000 } }))).result();
  stuck.open();
  const [graded] = scene.inputs('grade');
  expect(graded?.rollouts.map(({ stopReason, failure }) => [stopReason, failure])).toEqual([
    ['submitted', undefined],
    ['timeout', undefined],
  ]);
});

test('siblings too long for one history are children, and the group is the same to everyone else', async () => {
  const turns = 40;
  const policy = cannedPolicy(({ sibling }) => [...Array.from({ length: 2 }, (_, turn) => code(`cell ${turn}`)), answer(sibling === 0 ? 'right' : 'wrong')]);
  const { run, scene } = stage.scene('children', () => ({
    generate: policy,
    drawTasks: async ({ offset, count, split }) => Array.from({ length: count }, (_, i) => taskCard(offset + i, split, { maxTurns: turns })),
  }));
  const config = runWith({ ...steps, training: { ...steps.training, steps: 1, groupSize: 8 } });
  await (await stage.train(run, config)).result();
  const histories = await historiesOf(stage.client, run);
  const rollouts = histories.filter(({ type }) => type === 'rollout').map(({ workflowId }) => workflowId.slice(`train/${run}`.length));
  expect(rollouts.sort()).toEqual(Array.from({ length: 8 }, (_, sibling) => `/s1/t0/r${sibling}`));
  expect(scene.inputs('advantages')[0]?.groups[0]?.trajectories).toHaveLength(8);
  expect(scene.inputs('grade').map(({ rollouts }) => rollouts.length)).toEqual(Array(8).fill(1));
});

test('a group whose record is large is graded in parts; no payload passes 64 KiB and no history 4,096 events', async () => {
  const text = 'x'.repeat(250);
  const policy = cannedPolicy(() => Array.from({ length: 12 }, () => code(text)));
  const { run, scene } = stage.scene('large', (scripted) => ({
    generate: async (input) => ({ ...(await policy(input)), segment: { base64: 'A'.repeat(340) } }),
    execute: async (input) => ({
      ...(await scripted.execute(input)),
      observation: { text },
      execution: { ...(await scripted.execute(input)).execution, result: { text } },
    }),
    drawTasks: async ({ offset, count, split }) => Array.from({ length: count }, (_, i) => taskCard(offset + i, split, { maxTurns: 12 })),
  }));
  await (await stage.train(run, runWith({ ...steps, training: { ...steps.training, steps: 1, groupSize: 16 } }))).result();
  const grades = scene.inputs('grade');
  expect(grades.length).toBeGreaterThan(2);
  expect(grades.flatMap(({ rollouts }) => rollouts.map(({ sibling }) => sibling)).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 16 }, (_, sibling) => sibling),
  );
  expect(scene.inputs('advantages')[0]?.groups[0]?.trajectories).toHaveLength(grades.length);
  for (const { workflowId, history } of await historiesOf(stage.client, run)) {
    expect(largestPayload(history), `payloads of ${workflowId}`).toBeLessThan(64 * 1024);
    expect(history.events?.length, `events of ${workflowId}`).toBeLessThan(4096);
  }
});

test('an evaluation turns its pages in new histories', async () => {
  const { run, scene } = stage.scene('pages');
  const config = runWith({
    warmup: { steps: 0 },
    training: { steps: 0 },
    gate: { minSampledSolved: 0 },
    evaluation: { tasks: 50, modes: ['sampled'], samplesPerTask: 3 },
  });
  const result = (await (await stage.train(run, config)).result()) as TrainResult;
  expect(result.before).toMatchObject([{ samples: 150, counted: 150, solved: 50, meanTurns: 2 }]);
  const asked = scene.inputs('generate').filter(({ turn }) => turn === 0);
  expect(new Set(asked.map(({ task, sibling }) => `${task.index}/${sibling}`)).size).toBe(150);
  const pages = (await historiesOf(stage.client, run)).filter(({ type }) => type === 'evaluate');
  expect(pages.map(({ status }) => status).sort()).toEqual(['COMPLETED', 'CONTINUED_AS_NEW', 'CONTINUED_AS_NEW']);
  for (const { history } of pages) expect(history.events?.length).toBeLessThan(2000);
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
