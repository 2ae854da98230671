/** @file The warm-up on a user's chats: refused before anything is written, and the same bits from memory and from disk. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { run, testedConfig } from './trainerProcess.ts';
import { trainersPerTest } from './trainersPerTest.ts';

let home = '';
let file = '';
const trainerAt = trainersPerTest();
beforeEach(async () => {
  home = await temporaryDirectory('chat-warmup');
  file = join(home, 'chats.jsonl');
  writeChats(7);
});
afterEach(async () => {});

function writeChats(count: number): void {
  const line = (i: number) =>
    JSON.stringify({
      messages: [
        { role: 'user', content: `${i}` },
        { role: 'assistant', content: `is ${i}` },
      ],
    });
  writeFileSync(file, Array.from({ length: count }, (_, i) => `${line(i)}\n`).join(''));
}

const config = () => testedConfig({ policy: { vocabulary: 'bytes' }, warmup: { chats: { file }, steps: 6, batchSize: 4, stepsPerCommit: 2 } });

test('commits in memory and from disk end in the same bytes, and count what was trained on', async () => {
  const memory = await trainerAt(join(home, 'memory')).warmUpAll(config());
  const restarted = trainerAt(join(home, 'restarted'));
  expect((await restarted.warmUpAll(config(), () => restarted.loaded.close())).policy).toEqual(memory.policy);
  const first = trainerAt(join(home, 'first'));
  const { policy } = await first.prepareRun(config());
  const { metrics } = await first.warmUp({ policy, fromStep: 1, toStep: 2 });
  expect(metrics).toMatchObject({ 'chats/trained': 8, 'chats/epochs': 8 / 7, 'chats/left_out': 0, 'chats/truncated': 0, 'tokens/trained': 8 * 5 });
});

test('a bad line ends the run before it is made; a file that changes during it ends the warm-up', async () => {
  writeFileSync(file, '{"messages": [{"role": "user", "content": "u"}]}\n');
  const trainer = trainerAt(join(home, 'bad'));
  await expect(trainer.prepareRun(config())).rejects.toMatchObject({
    type: 'ConfigError',
    nonRetryable: true,
    message: /warmup\.chats: .*chats\.jsonl:1: expected a message/,
  });
  expect(existsSync(join(home, 'bad', 'runs', run))).toBe(false);
  writeChats(7);
  const { policy } = await trainer.prepareRun(config());
  writeChats(8);
  await expect(trainer.warmUp({ policy, fromStep: 1, toStep: 2 })).rejects.toMatchObject({
    type: 'ConfigError',
    message: /expected the file that the run was configured with/,
  });
});
