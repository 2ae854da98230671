/** @file How a box is made: everything that it does not need is taken away. Each limit is proven on a live box by `npm run doctor` (proof.ts). */
import type { ContainerCreateOptions } from 'dockerode';
import { formatOwner, type Owner } from '../../processOwner.ts';
import { labels } from './labels.ts';
import { seccompProfile } from './seccomp.ts';

export interface BoxLimits {
  /** Memory and swap together; what is written to /tmp counts. */
  readonly memoryBytes: number;
  /** Processors' worth of time. */
  readonly cpus: number;
  /** Processes and threads, the supervisor's two included. */
  readonly processes: number;
  readonly tmpBytes: number;
  readonly tmpInodes: number;
  readonly shmBytes: number;
  readonly openFiles: number;
  readonly fileBytes: number;
}

const mebibyte = 1024 * 1024;

export const boxLimits: BoxLimits = {
  memoryBytes: 256 * mebibyte,
  cpus: 1,
  processes: 64,
  tmpBytes: 64 * mebibyte,
  tmpInodes: 16_384,
  shmBytes: 8 * mebibyte,
  openFiles: 256,
  fileBytes: 64 * mebibyte,
};

/**
 * `separate`: the supervisor is root with three capabilities, code has a user of its own and cannot touch it. `shared`: one user that is not root, for daemons that allow
 * no root; code cannot forge a result, but it can stop its own box.
 */
export type UserMode = 'separate' | 'shared';

export interface BoxPlan {
  readonly image: string;
  /** Of the daemon: `runc`, or for example `runsc` (gVisor). Undefined: the daemon's default. */
  readonly runtime?: string;
  readonly limits: BoxLimits;
  readonly userMode: UserMode;
  readonly owner: Owner;
  readonly purpose: string;
  /** The box ends by itself this long after it began. */
  readonly ttlMs: number;
  /** Python source of the supervisor. It travels with each box, so that image and worker cannot differ in version. */
  readonly supervisor: string;
  /** For the supervisor alone; code never sees them. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The longest argument that Linux takes. */
const longestArgument = 128 * 1024;

/** The reaper waits this much longer than the box itself. */
const expiryGraceMs = 60_000;

export function containerOptions(plan: BoxPlan, now = Date.now()): ContainerCreateOptions {
  if (Buffer.byteLength(plan.supervisor) >= longestArgument) {
    throw new RangeError(`supervisor: expected at most ${longestArgument} bytes of source, got ${Buffer.byteLength(plan.supervisor)}`);
  }
  return {
    Image: plan.image,
    // No -I: it would ignore PYTHONHASHSEED. The environment is given here and holds nothing else.
    Entrypoint: ['python3', '-S', '-B', '-u', '-c', plan.supervisor],
    Cmd: [],
    User: plan.userMode === 'separate' ? '0:0' : '10001:10001',
    WorkingDir: '/',
    Hostname: 'sandbox',
    Env: Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', PYTHONHASHSEED: '0', ...plan.environment }).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [labels.sandbox]: '1',
      [labels.owner]: formatOwner(plan.owner),
      [labels.purpose]: plan.purpose,
      [labels.expires]: String(now + plan.ttlMs + expiryGraceMs),
    },
    // The stream that this process attaches is the box's life line: it closes with the process, stdin ends once and for all, and the supervisor with it.
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    NetworkDisabled: true,
    HostConfig: hostConfig(plan),
  };
}

function hostConfig({ runtime, limits, userMode }: BoxPlan): NonNullable<ContainerCreateOptions['HostConfig']> {
  const tmpfs = `rw,nosuid,nodev,noexec,mode=1777,size=${limits.tmpBytes},nr_inodes=${limits.tmpInodes}`;
  return {
    ...(runtime === undefined ? {} : { Runtime: runtime }),
    AutoRemove: true,
    Init: false, // the supervisor is process 1: nothing else may hold its channel
    NetworkMode: 'none',
    IpcMode: 'private',
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': tmpfs },
    ShmSize: limits.shmBytes,
    CapDrop: ['ALL'],
    CapAdd: userMode === 'separate' ? ['SETUID', 'SETGID', 'KILL'] : [],
    SecurityOpt: ['no-new-privileges', `seccomp=${seccompProfile()}`],
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    PidsLimit: limits.processes,
    Ulimits: [
      { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
      { Name: 'fsize', Soft: limits.fileBytes, Hard: limits.fileBytes },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    // When the machine runs out of memory, boxes go before workers.
    OomScoreAdj: 500,
    // Any other driver writes what code prints to the host's disk.
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
  };
}
