/** @file `node scripts/bootstrap.mjs <command> [arguments]`: installs what is missing, then runs scripts/<command>.ts under Node 24. Any Node from 18 on runs this. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { constants as osConstants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
/** node_modules takes about 1 GB, its download and unpacking as much again. */
const neededBytes = 2e9;
const wantedNode = 24;

/** What to do about the errors that npm reports, most specific first. */
const remedies = [
  [/ENOSPC/, 'the disk is full: free 2 GB, then run this again'],
  [/EACCES|EPERM|EROFS/, `no permission to write: make ${root} and the npm cache (npm config get cache) writable for this user`],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|network/i,
    'the npm registry cannot be reached: check the network, `npm config get registry` and HTTPS_PROXY',
  ],
  [/CERT|self.signed/i, "the registry's certificate is not trusted: set NODE_EXTRA_CA_CERTS to your authority's file"],
  [/E404|ETARGET/, 'the registry lacks a package that package-lock.json names: `npm config get registry` names a mirror that is not complete'],
  [
    /EUSAGE|in sync/,
    'package.json and package-lock.json differ: `git checkout package.json package-lock.json`, or `npm install` if you changed them on purpose',
  ],
];

main().catch((error) => {
  process.stderr.write(`turnwise: ${error.message}\n`);
  process.exitCode = 1;
});

async function main() {
  const [command, ...parameters] = process.argv.slice(2);
  checkMachine();
  checkCommand(command);
  if (!isInstalled()) install();
  await run(nodeBinary(), join(root, 'scripts', `${command}.ts`), parameters);
}

function checkMachine() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 18)
    throw new Error(
      `Node ${process.versions.node} is too old to set up: install Node 18 or later (https://nodejs.org); turnwise itself then runs on its own Node ${wantedNode}`,
    );
  if (process.platform === 'win32') throw new Error('Windows is not supported directly: use WSL 2 (https://learn.microsoft.com/windows/wsl)');
  const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
  if (musl) throw new Error('this Linux has no glibc (Alpine?), which the Temporal SDK needs: use a Debian, Ubuntu or Fedora based system or image');
}

function checkCommand(command) {
  const commands = readdirSync(join(root, 'scripts'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3));
  if (commands.includes(command)) return;
  throw new Error(`expected a command (${commands.join(', ')}), got ${command ?? 'none'}: for example \`npm run quickstart\``);
}

/** npm writes node_modules/.package-lock.json last, so it tells whether this very lock file was installed to the end. */
function isInstalled() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(modules, '.package-lock.json'));
  if (!present || !existsSync(join(modules, 'node', 'bin', 'node'))) return false;
  return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
    if (path === '') return true;
    const installed = present[path];
    return installed ? installed.version === version : optional || peer;
  });
}

function packagesOf(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

function install() {
  checkWritable();
  checkDisk();
  const gpu = existsSync('/dev/nvidiactl');
  say(`installing npm packages (1 GB, about a minute)${gpu ? ", with onnxruntime's CUDA libraries" : ''} …`);
  const first = npmCi(gpu ? {} : { ONNXRUNTIME_NODE_INSTALL: 'skip' });
  if (first.ok) return;
  if (gpu && /onnxruntime/.test(first.output)) {
    say('the CUDA libraries could not be had; installing without them: the policy computes on the processor …');
    const second = npmCi({ ONNXRUNTIME_NODE_INSTALL: 'skip' });
    if (second.ok) return;
    throw new Error(installFailure(second.output));
  }
  throw new Error(installFailure(first.output));
}

function checkWritable() {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new Error(`${root} is read-only: copy it to a directory of your own, or mount it writable`);
  }
}

function checkDisk() {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  if (free < neededBytes) throw new Error(`${(free / 1e9).toFixed(1)} GB free at ${root}, 2 GB are needed: free some, or move the clone to a larger disk`);
}

/** EBADENGINE warnings speak of the Node that runs npm, not of the one that runs turnwise; hence only errors. */
function npmCi(environment) {
  const result = spawnSync('npm', ['ci', '--loglevel=error', '--no-fund', '--no-audit'], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (result.error) throw new Error('npm was not found: install Node together with npm (https://nodejs.org)');
  return { ok: result.status === 0, output: result.stderr };
}

function installFailure(output) {
  const lines = output.split('\n').filter((line) => /npm error/.test(line) && !/complete log|npm error\s*$/.test(line));
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1] ?? 'run `npm ci` by hand to see everything it says';
  return `npm ci failed:\n${lines
    .slice(0, 6)
    .map((line) => `  ${line}`)
    .join('\n')}\nremedy: ${remedy}`;
}

function nodeBinary() {
  const own = join(modules, 'node', 'bin', 'node');
  if (majorOf(own) >= wantedNode) return own;
  if (Number(process.versions.node.split('.')[0]) >= wantedNode) return process.execPath;
  throw new Error(`${own} does not run: \`npm rebuild node\` (with ignore-scripts=false) restores it, or install Node ${wantedNode} yourself`);
}

function majorOf(binary) {
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return Number(/^v(\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

/** The IPC channel tells the command when this process is gone, however it ended. */
async function run(node, script, parameters) {
  const environment = { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` };
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...parameters], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environment,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (...end) => resolve(end));
  });
  process.exitCode = code ?? 128 + (osConstants.signals[signal] ?? 0);
  if (child.connected) child.disconnect();
}

function say(line) {
  process.stdout.write(`turnwise: ${line}\n`);
}
