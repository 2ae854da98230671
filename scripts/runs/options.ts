/** @file Readers of command-line options that commander does not have. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`expected a whole number, got ${text}`);
  return Number(text);
}

export function countFromOne(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError(`expected a whole number from 1 on, got ${text}`);
  return Number(text);
}

export function portNumber(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError(`expected a port from 0 to 65535, got ${text}`);
  return Number(text);
}

/** Found before the work whose result would have nowhere to go. */
export function writableFile(text: string): string {
  const directory = dirname(resolve(text));
  const problem = statSync(resolve(text), { throwIfNoEntry: false })?.isDirectory() ? 'that is a directory' : problemOf(directory);
  if (problem !== undefined) throw new InvalidArgumentError(`expected a file that can be written, got ${text}: ${problem}`);
  return text;
}

function problemOf(directory: string): string | undefined {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return `there is no directory ${directory}`;
  try {
    accessSync(directory, constants.W_OK);
    return undefined;
  } catch {
    return `${directory} is not ours to write to`;
  }
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError(`expected a number above 0, got ${text}`);
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError(`expected a number from 0 to 1, got ${text}`);
  return value;
}
