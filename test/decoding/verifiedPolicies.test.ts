/** @file What a policy worker checks before it generates, and what it keeps from one version to the next. */
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifiedPolicies } from '../../activities/policy/verifiedPolicies.ts';
import type { PolicyRef } from '../../core/rollout/types.ts';
import { run, TestedTrainer, testedConfig } from '../trainer/trainerProcess.ts';

let home: string;
let policy: PolicyRef;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnwise-policies-'));
  const trainer = new TestedTrainer(home);
  policy = (await trainer.prepareRun(testedConfig())).policy;
  await trainer.loaded.close();
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** Another checkpoint with the same content. */
async function copied(checkpoint: string): Promise<PolicyRef> {
  const [from, to] = [policy.checkpoint, checkpoint].map((name) => join(home, 'runs', run, name)) as [string, string];
  await cp(from, to, { recursive: true });
  return { ...policy, checkpoint };
}

test('versions with the same tokenizer files share one tokenizer', async () => {
  const load = verifiedPolicies(home);
  const first = await load(run, policy);
  const second = await load(run, await copied('checkpoints/global_step_1'));
  expect(second.directory.path).not.toBe(first.directory.path);
  expect(second.tokenizer).toBe(first.tokenizer);
});

test('a changed weight is refused; the optimizer is not looked at', async () => {
  const changed = await copied('checkpoints/global_step_2');
  const directory = join(home, 'runs', run, changed.checkpoint);
  await appendFile(join(directory, 'optimizer.safetensors'), 'x');
  await expect(verifiedPolicies(home)(run, changed)).resolves.toMatchObject({ directory: { path: join(directory, 'policy') } });
  await appendFile(join(directory, 'policy/model.safetensors'), 'x');
  await expect(verifiedPolicies(home)(run, changed)).rejects.toThrow(/model\.safetensors: expected \d+ bytes/);
});
