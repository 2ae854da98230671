/** @file Sandbox operations as a person writes them, one JSON object each: checked, run in order, answered with every field of the result. */
import { z } from 'zod';
import { chooseBackend } from '../activities/sandbox/choose.ts';
import { engineOf } from '../activities/sandbox/docker/engine.ts';
import { ensureImage } from '../activities/sandbox/docker/image.ts';
import type { Sandbox, SandboxBackend } from '../activities/sandbox/sandbox.ts';
import { judgeProgram } from '../activities/tasks/checkCode.ts';
import type { ExecutionLimits } from '../core/rollout/types.ts';
import { defaultExecutionLimits } from '../core/run/config.ts';
import { backendRequest } from './config/sandboxBackend.ts';

const backendName = z.enum(['auto', 'docker', 'embedded']);
const limits = z
  .strictObject({ wallMs: z.int().min(1), cpuMs: z.int().min(1), memoryMiB: z.int().min(64), outputBytes: z.int().min(256).max(1_048_576) })
  .partial()
  .default({});
const shared = { limits, backend: backendName.optional() };

const operationSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('run'), code: z.string(), stdin: z.string().default(''), ...shared }),
  z.strictObject({ op: z.literal('open'), sandbox: z.string().default('default'), setup: z.string().default(''), ...shared }),
  z.strictObject({ op: z.literal('execute'), sandbox: z.string().default('default'), code: z.string(), stdin: z.string().default('') }),
  z.strictObject({ op: z.literal('close'), sandbox: z.string().default('default') }),
  z.strictObject({
    op: z.literal('judge'),
    code: z.string(),
    cases: z.array(z.strictObject({ stdin: z.string(), stdout: z.string() })).min(1),
    entry: z
      .string()
      .regex(/^[A-Za-z_]\w*$/)
      .optional(),
    ...shared,
  }),
]);
type Operation = z.infer<typeof operationSchema>;

export type OperationResult = Readonly<Record<string, unknown>>;

const never = new AbortController().signal;

export class SandboxOperations {
  readonly #backendName: z.infer<typeof backendName>;
  readonly #backends = new Map<string, Promise<SandboxBackend>>();
  readonly #sandboxes = new Map<string, Sandbox>();

  /** @throws Error for a backend that there is none of. */
  constructor(defaultBackend: string) {
    const known = backendName.safeParse(defaultBackend);
    if (!known.success) throw new Error(`--backend: expected ${backendName.options.join(', ')}, got '${defaultBackend}'`);
    this.#backendName = known.data;
  }

  /** The tag of the image that boxes are made from, made now where there is none. */
  build(): Promise<string> {
    return ensureImage(engineOf(), backendRequest('command', 0).docker.image);
  }

  /** Never throws: what goes wrong is the result's `error`. */
  async perform(line: string): Promise<OperationResult> {
    try {
      const operation = parse(line);
      return { op: operation.op, ...(await this.#perform(operation)) };
    } catch (error) {
      const { name, message } = error as Error;
      return { error: name, message };
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#sandboxes.values()].map((sandbox) => sandbox.close()));
    const backends = await Promise.allSettled([...this.#backends.values()]);
    await Promise.all(backends.map((made) => (made.status === 'fulfilled' ? made.value.shutdown() : undefined)));
  }

  async #perform(operation: Operation): Promise<OperationResult> {
    switch (operation.op) {
      case 'run': {
        const backend = await this.#backend(operation.backend);
        const { code, stdin } = operation;
        return { backend: backend.name, ...(await backend.run({ owner: 'command', code, stdin, limits: limitsOf(operation.limits), signal: never })) };
      }
      case 'open':
        return this.#open(operation);
      case 'execute':
        return { sandbox: operation.sandbox, ...(await this.#held(operation.sandbox).execute(operation.code, never, operation.stdin)) };
      case 'close': {
        await this.#held(operation.sandbox).close();
        this.#sandboxes.delete(operation.sandbox);
        return { sandbox: operation.sandbox, closed: true };
      }
      case 'judge':
        return this.#judge(operation);
    }
  }

  async #open({ sandbox, setup, limits: given, backend: name }: Extract<Operation, { op: 'open' }>): Promise<OperationResult> {
    if (this.#sandboxes.has(sandbox)) throw new Error(`open: expected a name that is not in use, got '${sandbox}': close it first`);
    const backend = await this.#backend(name);
    const opened = await backend.open({ owner: `command/${sandbox}`, setup, limits: limitsOf(given), signal: never });
    this.#sandboxes.set(sandbox, opened);
    return { sandbox, backend: backend.name, id: opened.id };
  }

  async #judge({ code, cases, entry, limits: given, backend: name }: Extract<Operation, { op: 'judge' }>): Promise<OperationResult> {
    const backend = await this.#backend(name);
    const executions: unknown[] = [];
    const verdict = await judgeProgram(
      code,
      { cases, ...(entry === undefined ? {} : { entry }) },
      async (program, stdin, caseLimits, signal) => {
        const execution = await backend.run({ owner: 'command', code: program, stdin, limits: caseLimits, signal });
        executions.push(execution);
        return execution;
      },
      limitsOf(given),
      never,
    );
    return { backend: backend.name, ...verdict, cases: cases.length, executions };
  }

  #held(name: string): Sandbox {
    const sandbox = this.#sandboxes.get(name);
    if (sandbox === undefined)
      throw new Error(`sandbox: expected one that is open (${[...this.#sandboxes.keys()].join(', ') || 'none is'}), got '${name}': open it first`);
    return sandbox;
  }

  /** Made once each. */
  #backend(name: z.infer<typeof backendName> = this.#backendName): Promise<SandboxBackend> {
    const known = this.#backends.get(name);
    if (known !== undefined) return known;
    const made = chooseBackend({ ...backendRequest('command', 0), choice: name }).then(({ backend, description }) => {
      process.stderr.write(`${description}\n`);
      return backend;
    });
    this.#backends.set(name, made);
    return made;
  }
}

function limitsOf(given: z.infer<typeof limits>): ExecutionLimits {
  return { ...defaultExecutionLimits, ...(given as Partial<ExecutionLimits>) };
}

/** @throws Error naming the key, what was expected and what was found. */
function parse(line: string): Operation {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`operation: expected one JSON object a line, got ${line.slice(0, 80)}`);
  }
  const parsed = operationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`operation: ${issue?.path.join('.') || 'op'}: ${issue?.message ?? 'not understood'} in ${line.slice(0, 80)}`);
}
