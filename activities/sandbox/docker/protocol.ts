/**
 * @file What the host and the supervisor of a box say to one another: requests in, answers out, on the one attached stream.
 * The host writes length-prefixed JSON; the box answers in the same frames, each signed (frames.ts). Every request but `cancel` has exactly one answer, which
 * echoes its id; answers come in the order of the requests. Anything else on the stream (an unknown id, a wrong signature, a field too many) was not written by
 * the supervisor: the box is destroyed. Whatever an answer says about time, memory, processes and bytes was measured outside the process that ran the code;
 * `report` alone is that process's own word about itself.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** 128 random bits in hexadecimal. */
export type RequestId = string;

export function newRequestId(): RequestId {
  return randomBytes(16).toString('hex');
}

/** Bounds of one run of code. All are required: the supervisor has no defaults of its own. */
export interface RunLimits {
  /** CPU time of the code and everything it started, together. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Private memory of one process: beyond it Python raises MemoryError. The box's own limit, the hard one, is the container's. */
  readonly memoryBytes: number;
  /** Kept of the beginning of each stream, and at most of `value` and `traceback` each; at most `maxima.outputBytes`. */
  readonly outputBytes: number;
  /** Kept of the end of each stream beside that; 0 for a plain cut. */
  readonly tailBytes: number;
  /** The code is killed once it has written so many bytes to both streams together. */
  readonly killBytes: number;
  /** Largest file that it may write. */
  readonly fileBytes: number;
  readonly openFiles: number;
}

/** Largest values that the supervisor accepts; beyond them it answers `refused`. */
export const maxima = {
  requestBytes: 32 * 1024 * 1024,
  answerBytes: 32 * 1024 * 1024,
  codeBytes: 1024 * 1024,
  stdinBytes: 8 * 1024 * 1024,
  outputBytes: 1024 * 1024,
  /** Of all files of a request or an answer, decoded. */
  fileBytes: 16 * 1024 * 1024,
  files: 256,
} as const;

export interface BoxFile {
  /** Relative to the box's working directory; no `..`, no empty or hidden-by-link component: links are never followed. */
  readonly path: string;
  /** base64. */
  readonly content: string;
}

interface Code {
  readonly code: string;
  /** UTF-8 text, or nothing to read. */
  readonly stdin: string;
  readonly limits: RunLimits;
}

export type Request =
  /** The first frame, written right after the start; its answer `ready` comes when the box can take any other. `key` signs every answer. */
  | {
      readonly op: 'hello';
      readonly id: RequestId;
      /** base64 of 32 random bytes. */
      readonly key: string;
      /** The box ends itself when the host has said nothing for so long; any frame, a ping included, renews it. */
      readonly silenceMs: number;
      /** The box ends itself at this age, whatever happens. */
      readonly lifetimeMs: number;
    }
  /** Answered at once with `pong`, also while code runs. */
  | { readonly op: 'ping'; readonly id: RequestId }
  /** One program in a fresh process; afterwards nothing of it is left in the box. Refused while a session is open. Answer: `execution`, state `ended`. */
  | (Code & { readonly op: 'run'; readonly id: RequestId; readonly filesIn: readonly BoxFile[]; readonly filesOut: readonly string[] })
  /**
   * A session, with `code` run in it as cell 0 (empty: none). Refused while one is open. Answer: `execution`, state `committed`, or `lost` when
   * the setup raised or was killed: then there is no session.
   * `rollback: false`: cells run in place, cheaper with a large heap, and a cell that is killed takes the session with it.
   */
  | (Code & { readonly op: 'open'; readonly id: RequestId; readonly rollback: boolean })
  /** The next cell of the session, numbered from 1. Refused when there is none. Answer: `execution`. */
  | (Code & { readonly op: 'execute'; readonly id: RequestId; readonly filesIn: readonly BoxFile[]; readonly filesOut: readonly string[] })
  /** Ends the session, if there is one, kills every process, removes every file, and looks whether that is so. Answer: `clean`. */
  | { readonly op: 'reset'; readonly id: RequestId }
  /** Kills what request `target` runs, which is then answered with status `cancelled`; nothing when it has ended. Has no answer. */
  | { readonly op: 'cancel'; readonly target: RequestId };

/** How code ended. */
export const statuses = [
  /** Ran to its end. */
  'ok',
  /** Raised; `report.errorType` says what. */
  'exception',
  /** `sys.exit`, in its own report, or, without a report, `os._exit`. */
  'exit',
  /** Died of `signal`: a crash, or killed by itself. */
  'signal',
  /** Used up `wallMs` or `cpuMs`; `timeoutOf` says which. */
  'timeout',
  /** Killed at the box's memory limit, or ended by a MemoryError that it did not catch. */
  'oom',
  /** Wrote more than `killBytes`. */
  'outputLimit',
  'cancelled',
] as const;
export type Status = (typeof statuses)[number];

/** What has become of the session. */
export const states = [
  /** The session is the one after the cell. */
  'committed',
  /** The session is the one before the cell. */
  'rolledBack',
  /** There is no session any more; its committed cells have to be run again in a new one. */
  'lost',
  /** There was none: a run. */
  'ended',
] as const;
export type State = (typeof states)[number];

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

const captured = z.strictObject({
  /** Decoded with replacement; a character cut in two at the limit is dropped. */
  head: z.string(),
  /** The end of the stream, when more came than fits into `head` and `tailBytes` is not 0. */
  tail: z.string(),
  /** Written in all. */
  byteLength: count,
  truncated: z.boolean(),
});
export type Captured = z.infer<typeof captured>;

/** Written by the process that ran the code, which the code can forge: it says what the policy sees, and never decides anything. */
const report = z.strictObject({
  exitCode: z.int().min(0).max(255),
  value: z.string().optional(),
  errorType: z.string().max(200).optional(),
  traceback: z.string().optional(),
  /** `value` or `traceback` was cut. */
  cut: z.boolean(),
});
export type Report = z.infer<typeof report>;

const execution = z.strictObject({
  op: z.literal('execution'),
  id: z.string(),
  status: z.enum(statuses),
  state: z.enum(states),
  timeoutOf: z.enum(['wall', 'cpu']).optional(),
  /** Absent when the process ended without one: killed, crashed, or `os._exit`. */
  report: report.optional(),
  /** Of the process, as the kernel gave it; null when it lives on in the session, or was killed. */
  exitCode: z.int().nullable(),
  /** `SIGSEGV`; of the process, when a signal ended it that the supervisor did not send. */
  signal: z.string().nullable(),
  stdout: captured,
  stderr: captured,
  wallMs: milliseconds,
  /** Of the whole box, less the supervisor's own. */
  cpuMs: milliseconds,
  /** Largest resident set of a single process of this run; null when it could not be read. */
  peakMemoryBytes: count.nullable(),
  /** Processes that the kernel killed for want of memory; a cell may survive the death of its child. */
  oomKills: count,
  /** Processes that were still there when the code had ended, and were killed. */
  strayProcesses: count,
  /** After the end of the code: killing, wiping, reading files. */
  cleanupMs: milliseconds,
  /** Those of `filesOut` that exist as regular files. */
  files: z.array(z.strictObject({ path: z.string(), content: z.string() })),
});
export type Execution = z.infer<typeof execution>;

const capabilities = z.array(z.string());

/** What the box finds true of itself, read from the kernel: what the container was asked for may not be what it got. */
const facts = z.strictObject({
  pythonVersion: z.string(),
  machine: z.string(),
  uid: count,
  /** Under which the code runs; the supervisor's own in the mode with one user. */
  codeUid: count,
  /** Names of those in the supervisor's bounding set. */
  capabilities,
  noNewPrivileges: z.boolean(),
  /** A filter of the daemon's is in force; the supervisor's own comes on top of it, for the code. */
  daemonSeccomp: z.boolean(),
  /** The supervisor's own filter can be installed here. */
  codeSeccomp: z.boolean(),
  cgroupVersion: z.union([z.literal(1), z.literal(2), z.null()]),
  /** null: no limit is in force. */
  memoryBytes: count.nullable(),
  /** Memory and swap together. */
  memoryAndSwapBytes: count.nullable(),
  processes: count.nullable(),
  cpus: z.number().nullable(),
  readOnlyRoot: z.boolean(),
  /** Of the working directory's file system. */
  temporaryBytes: count,
  temporaryFiles: count,
  networkInterfaces: z.array(z.string()),
  /** Addresses are the same in every box. */
  fixedAddresses: z.boolean(),
  preloaded: z.array(z.string()),
});
export type BoxFacts = z.infer<typeof facts>;

const answer = z.discriminatedUnion('op', [
  execution,
  z.strictObject({ op: z.literal('ready'), id: z.string(), facts }),
  z.strictObject({ op: z.literal('pong'), id: z.string(), running: z.boolean() }),
  z.strictObject({
    op: z.literal('clean'),
    id: z.string(),
    /** Found before; killed. */
    strayProcesses: count,
    /** What is still there after: anything but 0 makes the box unfit for another use. */
    processesLeft: count,
    filesLeft: count,
    /** Open in the supervisor; grows when it leaks. */
    openFiles: count,
    memoryBytes: count.nullable(),
    resetMs: milliseconds,
  }),
  /** Not done, and nothing has changed. `reason` is for people. */
  z.strictObject({ op: z.literal('refused'), id: z.string(), reason: z.string() }),
]);
export type Answer = z.infer<typeof answer>;

/** @throws Error naming the first field that does not fit; whoever wrote the frame was not the supervisor. */
export function parseAnswer(message: unknown): Answer {
  const parsed = answer.safeParse(message);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`box: expected an answer of the protocol, got one whose ${issue?.path.join('.') || 'form'} does not fit: ${issue?.message ?? 'unknown'}`);
}
