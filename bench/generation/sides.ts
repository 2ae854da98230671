/** @file The processes that generate: ours and the peer's. Each is kept for all cases and sleeps while another one is measured. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { intraOpThreads } from '../../activities/policy/ort/session.ts';
import { allocatorSettings, workerFlags } from '../../workers/supervisor/workerProcess.ts';
import { peerMissing } from '../updates/peer.ts';
import type { GenerationCase } from './cases.ts';

export interface Side {
  tokensPerSecond(asked: GenerationCase): Promise<number>;
  end(): void;
}

export function startOurs(home: string): Side {
  const args = [...process.execArgv, ...workerFlags, join(import.meta.dirname, 'ours.ts'), home];
  return started(process.execPath, args, allocatorSettings);
}

/** The peer with its own allocator settings and with those of our workers, which suit it better or worse; none without a Python that has it. */
export function startPeers(): Side[] {
  if (peerMissing()) return [];
  const python = process.env['TURNWISE_PYTHON'] as string;
  const threads = { OMP_NUM_THREADS: String(intraOpThreads()) };
  const script = join(import.meta.dirname, '../peer_generate.py');
  return [threads, { ...threads, ...allocatorSettings }].map((settings) => started(python, [script], settings));
}

function started(command: string, args: readonly string[], settings: NodeJS.ProcessEnv): Side {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...settings } });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    end: () => child.stdin.end(),
    async tokensPerSecond(asked) {
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`${args.at(-1)}: expected a measurement of ${JSON.stringify(asked)}, it ended; its message is above`);
      return (JSON.parse(value) as { tokensPerSecond: number }).tokensPerSecond;
    },
  };
}
