/** @file What the machine must have: Node, disk, memory, onnxruntime, a sandbox, a valid configuration. */
import { mkdirSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { loadRunConfig } from '../../workers/config/runConfig.ts';
import { turnwiseHome } from '../../workers/onDisk.ts';
import { settleProvider, wantedProvider } from '../../workers/provider.ts';
import { validateTasks } from '../../workers/tasks.ts';
import { sandboxChecks } from './sandbox.ts';

export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  /** What to do; absent where nothing is to be done. */
  readonly remedy?: string;
}

export async function machineChecks(): Promise<Check[]> {
  return [nodeCheck(), diskCheck(), memoryCheck(), await onnxruntimeCheck(), await providerCheck(), ...(await sandboxChecks())];
}

function nodeCheck(): Check {
  const major = Number(process.versions.node.split('.')[0]);
  const found = `${process.versions.node} (${process.platform} ${process.arch})`;
  return major >= 24
    ? { name: 'Node', state: 'ok', found }
    : { name: 'Node', state: 'failed', found, remedy: 'run commands as `npm run …`, which brings Node 24' };
}

function diskCheck(): Check {
  const home = turnwiseHome();
  try {
    mkdirSync(home, { recursive: true });
    const { bavail, bsize } = statfsSync(home);
    const gigabytes = (bavail * bsize) / 1e9;
    const found = `${gigabytes.toFixed(1)} GB free at ${home}`;
    return gigabytes >= 1
      ? { name: 'disk', state: 'ok', found }
      : { name: 'disk', state: 'failed', found, remedy: 'free 1 GB, or set TURNWISE_HOME to a larger disk' };
  } catch (error) {
    return { name: 'disk', state: 'failed', found: (error as Error).message, remedy: 'make the directory writable, or set TURNWISE_HOME to another' };
  }
}

/** Node's `availableMemory` knows the limit of a container. */
function memoryCheck(): Check {
  const gigabytes = process.availableMemory() / 1e9;
  const found = `${gigabytes.toFixed(1)} GB available, ${availableParallelism()} processors`;
  return gigabytes >= 2
    ? { name: 'memory', state: 'ok', found }
    : { name: 'memory', state: 'warning', found, remedy: 'server, four workers and sandboxes want 2 GB: end other programs, or give the container more' };
}

async function onnxruntimeCheck(): Promise<Check> {
  const name = 'onnxruntime';
  try {
    const { listSupportedBackends } = await import('onnxruntime-node');
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
    const providers = listSupportedBackends().map((backend) => `${backend.name}${backend.bundled ? '' : ' (not installed)'}`);
    return { name, state: 'ok', found: `${version}, providers: ${providers.join(', ')}` };
  } catch (error) {
    return { name, state: 'failed', found: (error as Error).message, remedy: '`npm rebuild onnxruntime-node`; it needs glibc and x64 or arm64' };
  }
}

/** What workers would compute with, after the same self-test that they make. */
async function providerCheck(): Promise<Check> {
  const name = 'provider';
  try {
    const wanted = wantedProvider();
    const { provider, refused } = await settleProvider(wanted);
    const tested = provider === 'cpu' ? 'the reference' : 'gradients as on the CPU';
    return { name, state: 'ok', found: [`${provider} (${tested}; TURNWISE_PROVIDER=${wanted})`, ...refused].join('; not ') };
  } catch (error) {
    return { name, state: 'failed', found: (error as Error).message, remedy: 'mend what is named, or set TURNWISE_PROVIDER=cpu' };
  }
}

export async function configCheck(file: string): Promise<Check> {
  try {
    const config = loadRunConfig(file);
    const { tasks, policy } = config;
    await validateTasks(config);
    return { name: 'run configuration', state: 'ok', found: `${file}: ${policy.path ?? policy.preset} on ${tasks.map((source) => source.name).join(', ')}` };
  } catch (error) {
    return { name: 'run configuration', state: 'failed', found: (error as Error).message, remedy: 'correct what is named' };
  }
}
