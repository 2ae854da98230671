/** @file The plan of a run before it starts: steps, rollouts, tokens, memory. Bounds, not forecasts. */
import type { RunConfig } from '../../core/run/config.ts';
import { alignedTable } from '../display/evaluationTable.ts';

/** Parameters of the presets, and bytes of one float32 copy of each. */
const parameters = { nano: 0.6e6, S: 3.3e6, M: 27.3e6 } as const;

/** `modelMemory` is what is known of an existing model's. */
export function planText(config: RunConfig, modelMemory?: string): string {
  const { policy, tasks, warmup, training, evaluation, credit } = config;
  const rollouts = training.tasksPerStep * training.groupSize;
  const evaluations = 2 + (evaluation.every > 0 ? Math.max(0, Math.ceil(training.steps / evaluation.every) - 1) : 0);
  const rows = [
    [
      'policy',
      policy.path === null
        ? `${policy.preset}, ${policy.vocabulary} vocabulary, context ${policy.contextLength}`
        : `${policy.path}${policy.lora ? `, adapter of rank ${policy.lora.rank} on ${policy.lora.targetModules.join(', ')}` : ''}`,
    ],
    ['tasks', tasks.map((source) => `${source.name} (${'family' in source ? source.family : source.file}, weight ${source.weight})`).join(', ')],
    [
      'warm-up',
      warmup.steps === 0 ? 'none' : `${warmup.steps} steps × ${warmup.batchSize} ${warmup.chats ? `chats of ${warmup.chats.file}` : 'demonstrations'}`,
    ],
    [
      'training',
      `${training.steps} steps × ${training.tasksPerStep} tasks × ${training.groupSize} siblings = ${grouped(training.steps * rollouts)} rollouts, ${credit.method}`,
    ],
    ['evaluation', `${evaluations} × ${evaluation.tasks} held-out tasks, ${evaluation.modes.join(' and ')}`],
    ['tokens', `at most ${grouped(training.steps * rollouts * policy.contextLength)} in training rollouts (context length × rollouts)`],
    ['memory', modelMemory ?? memoryText(policy)],
  ];
  return alignedTable([['plan', `seed ${config.seed}`], ...rows]);
}

/** Trainer: weights, gradients and two moments; policy worker: weights twice (packed and as read). Activations come on top. */
function memoryText({ preset }: RunConfig['policy']): string {
  const megabytes = (copies: number) => Math.ceil((parameters[preset] * 4 * copies) / 1e6);
  return `weights and optimiser: ${megabytes(4)} MB in the trainer, ${megabytes(2)} MB in the policy worker; activations on top`;
}

function grouped(value: number): string {
  return value.toLocaleString('en');
}
