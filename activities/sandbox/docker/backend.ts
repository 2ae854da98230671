/**
 * @file The Docker sandbox: a container for every rollout that holds a session, in which a supervisor forks a process for every cell.
 * Covered: everything that the container and the supervisor bound, against code that means harm (docs/sandbox.md). Not covered: an error in the kernel that all containers
 * share. Against that, name a runtime with a kernel of its own (gVisor), or run the workers in virtual machines.
 */
import type { ExecutionResult } from '../../../core/rollout/types.ts';
import type { OpenOptions, RunOptions, Sandbox, SandboxBackend } from '../sandbox.ts';
import type { Box } from './box.ts';
import { type BoxPlace, defaultLifetimes, makeBox } from './makeBox.ts';
import { BoxPool, type Lease } from './pool.ts';
import { boxMemoryBytes, detailedResult, runLimitsOf } from './runLimits.ts';
import { DockerSandbox } from './session.ts';

export interface DockerOptions extends BoxPlace {
  /** The limits of all boxes together. */
  readonly memoryBudgetBytes: number;
  /** Boxes kept ready, and their memory: that of the runs which are expected. */
  readonly spare: { readonly count: number; readonly memoryMiB: number };
  readonly reuse?: 'afterReset' | 'never';
  readonly rollback?: boolean;
}

const minute = 60_000;

/** A box is replaced on return long before it would end by its age. */
const pool = { maxWaiting: 1024, maxUses: 2000, idleMs: 5 * minute, ageShare: 0.25 } as const;

export class DockerBackend implements SandboxBackend {
  readonly name = 'docker';
  readonly #pool: BoxPool<Box>;
  readonly #rollback: boolean;

  constructor(options: DockerOptions) {
    const { spare, memoryBudgetBytes, reuse = 'afterReset', lifetimes = defaultLifetimes } = options;
    this.#rollback = options.rollback ?? true;
    this.#pool = new BoxPool({
      create: (memoryBytes, onEnd) => makeBox(options, memoryBytes, onEnd),
      memoryBudgetBytes,
      reuse,
      maxWaiting: pool.maxWaiting,
      maxUses: pool.maxUses,
      idleMs: pool.idleMs,
      maxAgeMs: lifetimes.lifetimeMs * pool.ageShare,
      spare: { count: spare.count, memoryBytes: boxMemoryBytes(spare) },
    });
  }

  /** For status, benchmarks and tests. */
  get boxes(): Pick<BoxPool<Box>, 'size' | 'idle' | 'waiting'> {
    return this.#pool;
  }

  warm(): Promise<void> {
    return this.#pool.warm();
  }

  async open(options: OpenOptions): Promise<Sandbox> {
    const lease = await this.#lease(options);
    try {
      return await DockerSandbox.open(lease, { ...options, rollback: this.#rollback });
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  async run({ code, stdin, limits, signal }: RunOptions): Promise<ExecutionResult> {
    const lease = await this.#lease({ limits, signal });
    try {
      const question = { op: 'run', code, stdin, limits: runLimitsOf(limits), filesIn: [], filesOut: [] } as const;
      const execution = await lease.box.perform(question, signal);
      return detailedResult(execution, limits.outputBytes, { queueMs: lease.queueMs, box: lease.box.containerId });
    } finally {
      // The next program waits for the box to be clean, this one's verdict does not.
      void lease.release();
    }
  }

  shutdown(): Promise<void> {
    return this.#pool.shutdown();
  }

  async #lease({ limits, signal }: Pick<OpenOptions, 'limits' | 'signal'>): Promise<Lease<Box>> {
    return this.#pool.acquire(boxMemoryBytes(limits), signal);
  }
}
