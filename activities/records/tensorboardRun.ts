/** @file The TensorBoard directory of a run: one event file, described by the run's configuration. */
import { readFile } from 'node:fs/promises';
import { runPaths } from '../artifacts/paths.ts';
import { EventFile } from './eventFile.ts';
import type { ScalarEvent } from './tensorboard.ts';

const eventFiles = new Map<string, Promise<EventFile>>();

export async function recordTensorBoard(home: string, run: string, event: ScalarEvent): Promise<void> {
  const { tensorboard, config } = runPaths(home, run);
  const known = eventFiles.get(tensorboard);
  const opened = known ?? openEventFile(tensorboard, run, config);
  if (known === undefined) eventFiles.set(tensorboard, opened);
  await (await opened).append(event);
}

async function openEventFile(directory: string, run: string, configPath: string): Promise<EventFile> {
  const config = await readFile(configPath, 'utf8').catch(() => 'config.json was not there when the run was first recorded');
  const title = `# ${run}\n\nGTPO is Group Turn Policy Optimization (arXiv 2511.14846).\n\n`;
  return new EventFile(directory, `${title}    ${config.trim().replaceAll('\n', '\n    ')}\n`);
}
