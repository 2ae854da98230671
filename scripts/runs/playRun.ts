/** @file Starts a run (or joins one that goes on), shows its progress, and says how it ended. */
import { existsSync, writeFileSync } from 'node:fs';
import type { RunConfig } from '../../core/run/config.ts';
import type { Progress } from '../../core/run/types.ts';
import { connectClient, connectionSettings } from '../../workers/config/connection.ts';
import { runPaths, turnwiseHome } from '../../workers/onDisk.ts';
import { refreshReport } from '../../workers/records.ts';
import type { Processes } from '../../workers/supervisor/supervisor.ts';
import { exitCodes, say } from './command.ts';
import { followRun } from './followRun.ts';
import { exitCodeOf, summaryJson, summaryText } from './runSummary.ts';
import { startRun } from './startRun.ts';

export interface PlayOptions {
  readonly run: string;
  /** Absent: the run goes on already and is only watched. */
  readonly config?: RunConfig;
  /** Where to write the summary as JSON. */
  readonly json?: string | undefined;
  /** Part of another command's work, which goes on where the run ends well: then there is nothing to say of it. */
  readonly isPart?: boolean;
}

export async function playRun({ run, config, json, isPart }: PlayOptions, processes: Processes, signal: AbortSignal): Promise<number> {
  const client = await clientFor(processes);
  try {
    if (config) await startRun(client, run, config);
    say(`run ${run}: records in ${runPaths(turnwiseHome(), run).root}`);
    if (processes.uiUrl) say(`watch it in the Temporal UI: ${processes.uiUrl}/namespaces/${processes.namespace}/workflows/train%2F${run}`);
    const end = await followRun(client, run, signal);
    if (end.status === 'INTERRUPTED' && processes.ours) await reportInterruption(run, end.progress);
    const code = exitCodeOf(end);
    if (!isPart || code !== exitCodes.done) say(summaryText(run, end, !processes.ours));
    if (json) writeFileSync(json, `${JSON.stringify(summaryJson(run, end), null, 2)}\n`);
    return code;
  } finally {
    await client.connection.close();
  }
}

/** Nobody else is left to write it: the workers end with this command. */
async function reportInterruption(run: string, progress: Progress | undefined): Promise<void> {
  if (!existsSync(runPaths(turnwiseHome(), run).config)) return; // it had not begun
  const waits = progress?.phase === 'waiting-for-operator' || progress?.phase === 'paused';
  await refreshReport(turnwiseHome(), run, waits ? { phase: progress.phase, reason: progress.reason } : { phase: 'interrupted' });
}

export function clientFor({ address, namespace }: Processes) {
  const settings = connectionSettings();
  return connectClient({ ...settings, address, namespace, options: { ...settings.options, address } });
}
