/** @file What a machine may lack for a test to be skipped. With CI=true a skip whose cause this machine does not have is a failure. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const capabilities: readonly { readonly words: RegExp; readonly isPresent: () => boolean }[] = [
  { words: /sympy/i, isPresent: () => couldRunDocker() && succeeds('/usr/bin/python3', ['-c', 'import numpy, sympy']) },
  { words: /daemon of its own/i, isPresent: couldStartDocker },
  { words: /docker/i, isPresent: couldRunDocker },
  {
    words: /chromium|chrome/i,
    isPresent: () => [process.env['CHROMIUM'], '/usr/bin/chromium'].some((path) => path !== undefined && existsSync(path)),
  },
  { words: /tensorboard/i, isPresent: () => imports('tensorboard') },
  { words: /torch|transformers|python/i, isPresent: () => imports('torch, transformers') },
  { words: /gpu|cuda/i, isPresent: () => existsSync('/dev/nvidiactl') },
  { words: /tmpfs|mount|namespace/i, isPresent: () => false }, // such a skip is the outcome of having tried
  { words: /linux/i, isPresent: () => process.platform === 'linux' },
];

/** False when the machine lacks what the reason names; true for a reason that names nothing we know. */
export function couldHaveRun(reason: string): boolean {
  const named = capabilities.find(({ words }) => words.test(reason));
  return named === undefined || named.isPresent();
}

/** A daemon answers, or one could be started; `.ci/run` says why where it tried and could not. */
function couldRunDocker(): boolean {
  return couldStartDocker() || (!process.env['TURNWISE_NO_DOCKER'] && succeeds('docker', ['version']));
}

function couldStartDocker(): boolean {
  return !process.env['TURNWISE_NO_DOCKER'] && process.getuid?.() === 0 && succeeds('dockerd', ['--version']);
}

function imports(modules: string): boolean {
  return succeeds(process.env['TURNWISE_PYTHON'] ?? 'python3', ['-c', `import ${modules}`]);
}

function succeeds(command: string, parameters: string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore', timeout: 60_000 }).status === 0;
}
