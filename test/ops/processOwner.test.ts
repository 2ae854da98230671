/** @file Whose something is: nothing that may live is ever called gone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatOwner, isProvablyGone, type Owner, ownerHere, parseOwner } from '../../activities/processOwner.ts';
import { deadOwner } from '../support/deadOwner.ts';

const word = fc.stringMatching(/^[\w.:-]{1,20}$/);
const owners: fc.Arbitrary<Owner> = fc.record({
  host: word,
  bootId: word,
  pidNamespace: word,
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  startTicks: word,
});

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
