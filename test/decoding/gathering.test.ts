/** @file How long rows wait for one another before they join. */
import { expect, test } from 'vitest';
import { Gathering } from '../../activities/policy/decoding/gathering.ts';

/** A stream of calls 10 ms apart, all of which have joined. */
function afterStream(calls: number): Gathering {
  const gathering = new Gathering(40, 8);
  for (let call = 0; call < calls; call++) {
    gathering.arrived(10 * call);
    gathering.joined();
  }
  return gathering;
}

test('lone calls never wait', () => {
  const gathering = new Gathering(40, 8);
  for (let call = 0; call < 100; call++) {
    gathering.arrived(200 * call);
    expect(gathering.remainingMs(200 * call)).toBe(0);
    gathering.joined();
  }
});

test('in a stream the first row waits for others, but no longer for later ones', () => {
  const gathering = afterStream(60);
  gathering.arrived(600);
  expect(gathering.remainingMs(600)).toBe(40);
  gathering.arrived(630);
  expect(gathering.remainingMs(630)).toBe(10);
  expect(gathering.remainingMs(645)).toBe(0);
});

test('a full batch does not wait', () => {
  const gathering = afterStream(60);
  for (let row = 0; row < 7; row++) gathering.arrived(600 + row);
  expect(gathering.remainingMs(606)).toBe(34);
  gathering.arrived(607);
  expect(gathering.remainingMs(607)).toBe(0);
});

test('nothing waits once all have joined, and a stream that has dried up is none', () => {
  const gathering = afterStream(60);
  expect(gathering.remainingMs(600)).toBe(0);
  gathering.arrived(2000);
  expect(gathering.remainingMs(2000)).toBe(0);
});
