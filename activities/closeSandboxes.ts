/** @file Activity `closeSandboxes`: frees the sandboxes of rollouts that have ended. Those of another worker are none of its business: they end by their lease. */
import type { SandboxTable } from './sandbox/table.ts';
import type { SandboxActivities } from './signatures.ts';

export function createCloseSandboxes(dependencies: { readonly table: SandboxTable; readonly taskQueue: string }): SandboxActivities['closeSandboxes'] {
  return async ({ sandboxes }) => {
    const own = sandboxes.filter(({ taskQueue }) => taskQueue === dependencies.taskQueue);
    await Promise.all(own.map(({ id }) => dependencies.table.close(id)));
  };
}
