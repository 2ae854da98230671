/** @file The names of checkpoints, and their order. See docs/decisions/0004-checkpoints.md. */

/** Where training stands: `globalStep` counts steps of reinforcement learning, `warmupStep` supervised steps before them. */
export interface TrainingPosition {
  readonly globalStep: number;
  readonly warmupStep: number;
}

/** `global_step_12`; `warmup_step_300` before the first step of reinforcement learning; `global_step_0` before any training. */
export function checkpointName({ globalStep, warmupStep }: TrainingPosition): string {
  return globalStep === 0 && warmupStep > 0 ? `warmup_step_${warmupStep}` : `global_step_${globalStep}`;
}

/** Undefined for names that are not a checkpoint's. A `global_step_N` with N > 0 does not tell its warm-up steps: its trainer state does. */
export function positionOf(name: string): TrainingPosition | undefined {
  const [, kind, digits] = /^(global|warmup)_step_(0|[1-9]\d{0,14})$/.exec(name) ?? [];
  if (digits === undefined) return undefined;
  if (kind === 'global') return { globalStep: Number(digits), warmupStep: 0 };
  return digits === '0' ? undefined : { globalStep: 0, warmupStep: Number(digits) };
}

/** Names that are checkpoints, oldest first. */
export function inTrainingOrder(names: readonly string[]): readonly string[] {
  return names
    .flatMap((name) => {
      const position = positionOf(name);
      return position === undefined ? [] : [{ name, ...position }];
    })
    .sort((a, b) => a.globalStep - b.globalStep || a.warmupStep - b.warmupStep)
    .map(({ name }) => name);
}
