/** @file A run with honeypot tasks through real workflows and real boxes: what cannot be solved is counted, and nobody solves it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunConfig } from '../../core/run/config.ts';
import { runConfigSchema } from '../../workers/config/runConfigSchema.ts';
import { Turnwise } from '../durability/turnwise.ts';
import { describeWithDocker } from './dockerBackend.ts';

const steps = 2;

const config = runConfigSchema.parse({
  seed: 3,
  policy: { preset: 'nano', vocabulary: 'bytes', contextLength: 1024 },
  tasks: [{ family: 'program', options: { operations: [1], visibleCases: 2, hiddenCases: 2, maxTurns: 2, honeypots: 0.5 } }],
  warmup: { steps: 40, stepsPerCommit: 40 },
  gate: { minSampledSolved: 0 },
  training: { steps, tasksPerStep: 6, groupSize: 2 },
  sampling: { maxTokensPerTurn: 64 },
  credit: { uniformGroups: 'keep' },
  evaluation: { tasks: 2, modes: ['sampled'] },
  sandbox: { backend: 'docker', rollback: false },
}) as RunConfig;

describeWithDocker('a run with honeypots', () => {
  test('shows in its metrics how many there were, and that none was solved', { timeout: 300_000 }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'turnwise-honeypots-'));
    const turnwise = await Turnwise.prepare(home);
    try {
      await turnwise.start();
      const client = await turnwise.client();
      await turnwise.train(client, 'honeypots', config).finally(() => client.connection.close());
      expect(await turnwise.result('honeypots', 240_000)).toMatchObject({ phase: 'completed', steps });
      const lines = readFileSync(turnwise.runFile('honeypots', 'metrics.jsonl'), 'utf8').trim().split('\n');
      const trained = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => 'honeypot/rollouts' in line);
      expect(trained).toHaveLength(steps);
      const sum = (name: string) => trained.reduce((total, line) => total + Number(line[name]), 0);
      expect(sum('honeypot/solved')).toBe(0);
      expect(sum('honeypot/rollouts')).toBeGreaterThan(0);
      expect(sum('honeypot/rollouts')).toBeLessThan(steps * 6 * 2);
    } finally {
      await turnwise.stop();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
