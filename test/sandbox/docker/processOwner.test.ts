/** @file Whose a box is: nothing that may live is ever called gone, and nothing of another's is ever removed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatOwner, isProvablyGone, type Owner, ownerHere, parseOwner } from '../../../activities/processOwner.ts';
import { labels } from '../../../activities/sandbox/docker/labels.ts';
import { isAbandoned, startedWithinMs } from '../../../activities/sandbox/docker/reaper.ts';

const word = fc.stringMatching(/^[\w.:-]{1,20}$/);
const owners: fc.Arbitrary<Owner> = fc.record({
  host: word,
  bootId: word,
  pidNamespace: word,
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  startTicks: word,
});

async function deadOwner(): Promise<Owner> {
  const child = spawn('sleep', ['60']);
  const owner = ownerHere(child.pid);
  expect(isProvablyGone(owner)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return owner;
}

describe('an owner', () => {
  test('reads back as it was written', () => {
    fc.assert(
      fc.property(owners, (owner) => {
        expect(parseOwner(formatOwner(owner))).toEqual(owner);
      }),
    );
  });

  test('is not read from anything else', () => {
    for (const label of [undefined, '', 'a/b/c', 'a/b/c/0/e', 'a/b/c/-1/e', 'a/b/c/1x/e', 'a/b/c/1/e/f', 'a//c/1/e']) expect(parseOwner(label)).toBeUndefined();
  });

  test('that lives is not gone; that was killed is; that has its pid but another start is', async () => {
    expect(isProvablyGone(ownerHere())).toBe(false);
    expect(isProvablyGone({ ...ownerHere(), startTicks: '1' })).toBe(true);
    expect(isProvablyGone(await deadOwner())).toBe(true);
  });

  test('of another boot or another pid namespace is never called gone: it cannot be looked up from here', async () => {
    const dead = await deadOwner();
    expect(isProvablyGone({ ...dead, bootId: 'another' })).toBe(false);
    expect(isProvablyGone({ ...dead, pidNamespace: '1' })).toBe(false);
    expect(isProvablyGone({ ...dead, startTicks: 'unknown' })).toBe(false);
  });
});

describe('a box', () => {
  const found = (owner: string, expires: string) => ({ id: 'x', state: 'running', createdAt: 0, labels: { [labels.owner]: owner, [labels.expires]: expires } });

  test('is abandoned when its owner is gone, or its time is over', async () => {
    const [here, dead] = [formatOwner(ownerHere()), formatOwner(await deadOwner())];
    expect(isAbandoned(found(here, '2000'), 1000)).toBe(false);
    expect(isAbandoned(found(here, '2000'), 2001)).toBe(true);
    expect(isAbandoned(found(dead, '2000'), 1000)).toBe(true);
  });

  test('that has ended is garbage, whoever made it', () => {
    expect(isAbandoned({ ...found(formatOwner(ownerHere()), '2000'), state: 'exited' }, 1000)).toBe(true);
  });

  test('that was made and never started is garbage once its maker must have given it up', () => {
    const unstarted = { ...found(formatOwner(ownerHere()), '2000000'), state: 'created', createdAt: 1_000_000 };
    expect(isAbandoned(unstarted, 1_000_000 + startedWithinMs)).toBe(false);
    expect(isAbandoned(unstarted, 1_000_001 + startedWithinMs)).toBe(true);
  });

  test('of another machine is left alone until its time is over, and one without readable labels for ever', async () => {
    const elsewhere = formatOwner({ ...(await deadOwner()), bootId: 'another' });
    expect(isAbandoned(found(elsewhere, '2000'), 1000)).toBe(false);
    expect(isAbandoned(found(elsewhere, '2000'), 2001)).toBe(true);
    for (const expires of ['', 'soon', '-1', '0', 'Infinity']) expect(isAbandoned(found('nonsense', expires), Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});
