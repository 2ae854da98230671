/** @file A copy of temporal.yaml on free ports, so that a benchmark or a test lives beside a turnwise that runs here. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadTemporalConfig, temporalConfigPath } from '../../workers/config/temporalConfig.ts';

/** Answers with the path of the copy, for TURNWISE_TEMPORAL_YAML. */
export async function temporalConfigWithOwnPorts(directory: string): Promise<string> {
  const [port, uiPort] = [await freePort(), await freePort()];
  const config = parse(readFileSync(temporalConfigPath, 'utf8')) as { devServer: object };
  const path = join(directory, 'temporal.yaml');
  writeFileSync(path, stringify({ ...config, devServer: { ...config.devServer, port, uiPort } }));
  loadTemporalConfig(path);
  return path;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
