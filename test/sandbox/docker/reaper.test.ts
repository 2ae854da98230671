/** @file Which boxes nobody owns any more: nothing of another's is ever removed. */
import { describe, expect, test } from 'vitest';
import { formatOwner, ownerHere } from '../../../activities/processOwner.ts';
import { labels } from '../../../activities/sandbox/docker/labels.ts';
import { isAbandoned, startedWithinMs } from '../../../activities/sandbox/docker/reaper.ts';
import { deadOwner } from '../../support/deadOwner.ts';

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
