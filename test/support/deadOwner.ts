/** @file A process that lived and was killed, as the owner of something. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import { isProvablyGone, type Owner, ownerHere } from '../../activities/processOwner.ts';

export async function deadOwner(): Promise<Owner> {
  const child = spawn('sleep', ['60']);
  const owner = ownerHere(child.pid);
  expect(isProvablyGone(owner)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return owner;
}
