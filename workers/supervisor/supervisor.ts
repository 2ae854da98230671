/** @file Server and workers of one home directory, kept alive together and stopped together. */
import { loadTemporalConfig } from '../config/temporalConfig.ts';
import { announceServer, claimHome, reapOrphans, releaseHome } from './claim.ts';
import { type KeptProcess, keepProcess } from './keptProcess.ts';
import { livingRecord, workerRoles } from './processRecords.ts';
import { type UsedServer, useServer } from './server.ts';
import { startWorker } from './workerProcess.ts';

export interface Processes {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  /** False when another turnwise in this directory runs them: then `stop` leaves them alone. */
  readonly ours: boolean;
  /** Workers first, then the server if it is ours. Idempotent. */
  stop(): Promise<void>;
  /** Kills everything that is ours at once. */
  kill(): void;
}

/** Attaches to the processes that another turnwise runs in this directory, or starts them. Resolves when all are ready. */
export async function useProcesses(say: (line: string) => void): Promise<Processes> {
  return attach() ?? startProcesses(say);
}

function attach(): Processes | undefined {
  const supervisor = livingRecord('supervisor');
  if (!supervisor?.address) return undefined;
  const { address, uiUrl, namespace = 'default' } = supervisor;
  return { address, namespace, uiUrl, ours: false, stop: async () => {}, kill: () => {} };
}

/** @throws Error with the remedy when another turnwise has this directory, or a process cannot be brought up; then nothing is left running. */
export async function startProcesses(say: (line: string) => void): Promise<Processes> {
  claimHome();
  for (const { role, pid } of reapOrphans()) say(`ended ${role} (process ${pid}), left over from a turnwise that was killed`);
  const kept: KeptProcess[] = [];
  let server: UsedServer | undefined;
  const stop = async () => {
    await Promise.all(kept.map((worker) => worker.stop()));
    await server?.kept?.stop();
    releaseHome();
  };
  const kill = () => {
    for (const process of [...kept, ...(server?.kept ? [server.kept] : [])]) process.kill();
    releaseHome();
  };
  try {
    server = await useServer(say);
    kept.push(...keepWorkers(server, say));
    await Promise.all(kept.map(({ ready }) => ready));
    announceServer(server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: server.address, namespace: server.namespace, uiUrl: server.uiUrl, ours: true, stop, kill };
}

function keepWorkers({ address, namespace }: UsedServer, say: (line: string) => void): KeptProcess[] {
  const stopWithinMs = loadTemporalConfig().shutdownGrace + 5000;
  return workerRoles.map((role) => keepProcess(role, (stopping) => startWorker(role, { address, namespace, stopWithinMs }, stopping, say), say));
}
