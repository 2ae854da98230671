/** @file How long rows wait for one another before they join. */
import { expect, test } from 'vitest';
import { Gathering } from '../../activities/policy/decoding/gathering.ts';

/** A stream of calls 10 ms apart, up to 20 under way at once, all of which have joined. */
function afterStream(calls: number): Gathering {
  const gathering = new Gathering(40, 8);
  for (let call = 0; call < calls; call++) {
    gathering.arrived(10 * call, 1 + (call % 20));
    gathering.joined();
  }
  return gathering;
}

test('lone calls never wait', () => {
  const gathering = new Gathering(40, 8);
  for (let call = 0; call < 100; call++) {
    gathering.arrived(200 * call, 1);
    expect(gathering.remainingMs(200 * call)).toBe(0);
    gathering.joined();
  }
});

test('in a stream the first row waits for others, but no longer for later ones', () => {
  const gathering = afterStream(60);
  gathering.arrived(600, 5);
  expect(gathering.remainingMs(600)).toBe(40);
  gathering.arrived(630, 6);
  expect(gathering.remainingMs(630)).toBe(10);
  expect(gathering.remainingMs(645)).toBe(0);
});

test('a full batch does not wait', () => {
  const gathering = afterStream(60);
  for (let row = 0; row < 7; row++) gathering.arrived(600 + row, 1 + row);
  expect(gathering.remainingMs(606)).toBe(34);
  gathering.arrived(607, 8);
  expect(gathering.remainingMs(607)).toBe(0);
});

test.each([1, 3])('%i callers who each come again at once never wait for others', (callers) => {
  const gathering = new Gathering(40, 8);
  for (let call = 0; call < 200; call++) {
    gathering.arrived(5 * call, Math.min(call + 1, callers));
    expect(gathering.remainingMs(5 * call)).toBe(0);
    gathering.joined();
  }
});

test('in a stream rows go as soon as as many are under way as have been lately', () => {
  const gathering = afterStream(60);
  gathering.arrived(600, 19);
  expect(gathering.remainingMs(600)).toBe(40);
  gathering.arrived(601, 20);
  expect(gathering.remainingMs(601)).toBe(0);
});

test('nothing waits once all have joined, and a stream that has dried up is none', () => {
  const gathering = afterStream(60);
  expect(gathering.remainingMs(600)).toBe(0);
  gathering.arrived(2000, 1);
  expect(gathering.remainingMs(2000)).toBe(0);
});
