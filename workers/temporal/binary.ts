/** @file Finds the Temporal server's binary, or gets one: PATH, cache, the SDK's download, a build through the Go module proxy. */
import { execFile, spawn } from 'node:child_process';
import { access, constants, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Release of the Temporal CLI that tools/temporal/go.mod pins; it brings server 1.32.0. */
const cliVersion = '1.9.1';
/** Oldest server that has what the workers use (autoscaling pollers). */
const oldestServer = [1, 28] as const;

const goModule = fileURLToPath(new URL('../../tools/temporal', import.meta.url));

export interface ServerBinary {
  readonly path: string;
  /** As the binary prints it, for example `1.32.0`. */
  readonly serverVersion: string;
  readonly source: 'PATH' | 'cache' | 'SDK download' | 'Go build';
}

type Attempt = { readonly binary: ServerBinary } | { readonly refusal: string };

/** @param say receives a line before each slow thing. @throws Error that lists what was tried and the remedy for each. */
export async function findServerBinary(say: (line: string) => void = () => {}): Promise<ServerBinary> {
  const refusals: string[] = [];
  for (const attempt of [fromPath, fromCache, fromDownload, fromGoBuild]) {
    const result = await attempt(say);
    if ('binary' in result) return result.binary;
    refusals.push(result.refusal);
  }
  throw new Error(`no Temporal server binary; any one of these remedies is enough:\n${refusals.map((line) => `  - ${line}`).join('\n')}\n${otherServer}`);
}

/** What is there already; never downloads or builds. */
export async function findInstalledBinary(): Promise<ServerBinary | undefined> {
  for (const attempt of [fromPath, fromCache]) {
    const result = await attempt();
    if ('binary' in result) return result.binary;
  }
  return undefined;
}

const otherServer = '  - or use a server that runs elsewhere: TEMPORAL_ADDRESS=host:7233';

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'turnwise', `temporal-${cliVersion}`);
}

async function fromPath(): Promise<Attempt> {
  const found: string[] = [];
  for (const directory of (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(directory, 'temporal');
    if (!(await isExecutable(path))) continue;
    const binary = await identify(path, 'PATH');
    if (binary) return { binary };
    found.push(path);
  }
  const why = found.length > 0 ? `${found.join(', ')} is no server of version ${oldestServer.join('.')} or later` : 'no `temporal` on PATH';
  return { refusal: `${why}: install the Temporal CLI (https://docs.temporal.io/cli)` };
}

async function fromCache(): Promise<Attempt> {
  const path = join(cacheDirectory(), 'temporal');
  const binary = (await isExecutable(path)) ? await identify(path, 'cache') : undefined;
  return binary ? { binary } : { refusal: `nothing usable at ${path}: put a \`temporal\` binary there` };
}

/** The SDK's ephemeral server downloads its own binary; ours is the copy of it. */
async function fromDownload(say: (line: string) => void): Promise<Attempt> {
  say('Temporal server: downloading it (temporal.download) …');
  const directory = await cacheScratch();
  try {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    const server = { executable: { type: 'cached-download' as const, downloadDir: directory }, ui: false };
    const environment = await TestWorkflowEnvironment.createLocal({ server });
    await environment.teardown();
    const [file] = (await readdir(directory)).filter((name) => name.startsWith('temporal'));
    if (!file) throw new Error(`no file named temporal* in ${directory}`);
    return await adopt(join(directory, file), 'SDK download');
  } catch (error) {
    return { refusal: `download from temporal.download: ${firstLine(error)}: allow that host, or set HTTPS_PROXY` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A copy of the committed module is built, so that the build never touches the checkout. */
async function fromGoBuild(say: (line: string) => void): Promise<Attempt> {
  const go = await goVersion();
  if (!go) return { refusal: 'build from source: no `go` on PATH: install Go 1.26 or later (https://go.dev/dl)' };
  say(`Temporal server: building CLI ${cliVersion} with ${go} (3 to 5 minutes, once) …`);
  const directory = await cacheScratch();
  try {
    for (const file of ['go.mod', 'go.sum']) await copyFile(join(goModule, file), join(directory, file));
    const output = join(directory, 'temporal');
    const flags = ['-trimpath', '-ldflags=-s -w', '-mod=mod', '-o', output];
    await runInherited('go', ['build', ...flags, 'github.com/temporalio/cli/cmd/temporal'], directory);
    return await adopt(output, 'Go build');
  } catch (error) {
    return { refusal: `build from source: ${firstLine(error)}: check GOPROXY (the module proxy must be reachable), free disk (3 GB) and GOTOOLCHAIN=auto` };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Puts a finished binary into the cache in one step. */
async function adopt(path: string, source: ServerBinary['source']): Promise<Attempt> {
  const target = join(cacheDirectory(), 'temporal');
  await rename(path, target);
  const binary = await identify(target, source);
  return binary ? { binary } : { refusal: `${source}: ${target} does not run here: remove it and install the Temporal CLI by hand` };
}

async function cacheScratch(): Promise<string> {
  await mkdir(cacheDirectory(), { recursive: true });
  return mkdtemp(join(cacheDirectory(), 'making-'));
}

async function identify(path: string, source: ServerBinary['source']): Promise<ServerBinary | undefined> {
  const output = await outputOf(path, ['--version']);
  const serverVersion = /Server (\d+\.\d+\.\d+)/.exec(output ?? '')?.[1];
  if (!serverVersion) return undefined;
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  const recent = major > oldestServer[0] || (major === oldestServer[0] && minor >= oldestServer[1]);
  return recent ? { path, serverVersion, source } : undefined;
}

async function goVersion(): Promise<string | undefined> {
  return /go\d[\w.]*/.exec((await outputOf('go', ['version'])) ?? '')?.[0];
}

async function outputOf(command: string, parameters: string[]): Promise<string | undefined> {
  return promisify(execFile)(command, parameters, { timeout: 15_000 }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}

function runInherited(command: string, parameters: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, CGO_ENABLED: '0' } });
    child.on('error', reject);
    child.on('exit', (code, signal) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${signal ?? `exit code ${code}`}`))));
  });
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
