/** @file Which sandbox a worker is asked to use: the TURNWISE_SANDBOX variables, read the same by the worker that plays rollouts, the one that judges programs, and the commands. */
import type { BackendRequest } from '../../activities/sandbox/choose.ts';
import { defaultExecutionLimits, type RunConfig } from '../../core/run/config.ts';

const mebibyte = 1024 * 1024;

/** How much of a machine's free memory the limits of a role's boxes may add up to. Limits are rarely reached, and a box that reaches its own ends nobody else. */
const memoryShares = { rollouts: 0.75, judge: 0.1, command: 0.5 } as const;

export type SandboxUse = keyof typeof memoryShares;

/** @throws Error naming the variable that holds what it should not. */
export function backendRequest(use: SandboxUse, spare: number, environment: NodeJS.ProcessEnv = process.env): BackendRequest {
  const choice = oneOf('TURNWISE_SANDBOX', ['auto', 'embedded', 'docker'], environment) ?? 'auto';
  return {
    choice,
    docker: {
      purpose: use,
      image: environment['TURNWISE_SANDBOX_IMAGE'] || undefined,
      runtime: environment['TURNWISE_SANDBOX_RUNTIME'] || undefined,
      userMode: oneOf('TURNWISE_SANDBOX_USERS', ['separate', 'shared'], environment),
      reuse: oneOf('TURNWISE_SANDBOX_REUSE', ['afterReset', 'never'], environment) ?? 'afterReset',
      memoryBudgetBytes: memoryBudget(use, environment),
      spare: { count: spare, memoryMiB: defaultExecutionLimits.memoryMiB },
    },
  };
}

/** Workers that this process starts are asked for the run's backend and image, unless the environment says one: then the run was checked against it. */
export function askWorkersFor({ backend, image }: RunConfig['sandbox']): void {
  if (backend !== 'auto' && !process.env['TURNWISE_SANDBOX']) process.env['TURNWISE_SANDBOX'] = backend;
  if (image !== undefined && !process.env['TURNWISE_SANDBOX_IMAGE']) process.env['TURNWISE_SANDBOX_IMAGE'] = image;
}

function memoryBudget(use: SandboxUse, environment: NodeJS.ProcessEnv): number {
  const given = environment['TURNWISE_SANDBOX_MEMORY'];
  if (given === undefined || given === '') return Math.floor(process.availableMemory() * memoryShares[use]);
  const mebibytes = Number(given);
  if (!Number.isInteger(mebibytes) || mebibytes < 64)
    throw new Error(`TURNWISE_SANDBOX_MEMORY: expected MiB for all boxes of a worker, 64 or more, got '${given}'`);
  return mebibytes * mebibyte;
}

function oneOf<const Value extends string>(variable: string, values: readonly Value[], environment: NodeJS.ProcessEnv): Value | undefined {
  const given = environment[variable];
  if (given === undefined || given === '') return undefined;
  const known = values.find((value) => value === given);
  if (known === undefined) throw new Error(`${variable}: expected ${values.join(', ')}, got '${given}'`);
  return known;
}
