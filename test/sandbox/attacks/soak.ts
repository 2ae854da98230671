/** @file Hostile programs by the hundred in boxes that are used again, each followed by one whose answer is known. */
import { readdirSync } from 'node:fs';
import type { DockerBackend } from '../../../activities/sandbox/docker/backend.ts';
import { SandboxBroken } from '../../../activities/sandbox/sandbox.ts';
import { hostile } from './hostile.ts';

const limits = { wallMs: 5000, memoryMiB: 96, outputBytes: 4000 };
const signal = new AbortController().signal;

/** Long enough for the stubborn ones to do their worst; so many of them have to be waited for. */
const stubbornMs = 250;

export interface SoakCounts {
  readonly programs: number;
  /** Answers to the question after an attack that were not exactly `42`. */
  readonly wrong: number;
  /** Runs that broke their box, attack or question. */
  readonly broken: number;
  /** Files and processes that a later program found. */
  readonly leftFiles: number;
  readonly leftProcesses: number;
  /** Growth of this process's descriptors. */
  readonly leftDescriptors: number;
}

const lookAround = "import os\nprint(6 * 7)\nprint(len(os.listdir('/tmp')) + len(os.listdir('/dev/shm')), sum(map(str.isdigit, os.listdir('/proc'))) - 4)";

/** `boxes` should be the number that the backend's budget has room for: then each program runs where others ran. */
export async function soak(backend: DockerBackend, count: number, boxes: number): Promise<SoakCounts> {
  const attacks = Object.values(hostile).flatMap((group) => Object.values(group));
  const counts = { programs: 0, wrong: 0, broken: 0, leftFiles: 0, leftProcesses: 0 };
  await backend.run({ owner: 'soak', code: '', stdin: '', limits, signal });
  const descriptors = openDescriptors();
  const run = async (code: string, wallMs: number) => {
    try {
      return await backend.run({ owner: 'soak', code, stdin: '', limits: { ...limits, wallMs }, signal });
    } catch (error) {
      if (!(error instanceof SandboxBroken)) throw error;
      counts.broken += 1;
      return undefined;
    }
  };
  await Promise.all(
    Array.from({ length: boxes }, async () => {
      while (counts.programs < count) {
        const attack = attacks[counts.programs % attacks.length];
        counts.programs += 1;
        await run(attack?.code ?? '', attack?.wallMs === undefined ? limits.wallMs : stubbornMs);
        const [answer, left = ''] = (await run(lookAround, 30_000))?.stdout.split('\n') ?? [];
        const [files, processes] = left.split(' ').map(Number);
        if (answer !== '42') counts.wrong += 1;
        counts.leftFiles += files ?? 0;
        counts.leftProcesses += Math.max(0, processes ?? 0);
      }
    }),
  );
  return { ...counts, leftDescriptors: Math.max(0, openDescriptors() - descriptors - spareDescriptors(boxes)) };
}

/** The stream of each box that has been made meanwhile. */
const spareDescriptors = (boxes: number) => boxes;

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
