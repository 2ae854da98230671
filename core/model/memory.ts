/** @file How much memory a policy takes at least, by its shape: what a plan prints, and what is refused before anything is loaded. */
import { largestActivationBytes } from './activations.ts';
import type { ModelConfig } from './config.ts';
import { adapterShapes, type LoraConfig } from './lora.ts';
import { parameterCount } from './tensorNames.ts';

const float = Float32Array.BYTES_PER_ELEMENT;

/** An ONNX model is one protobuf message, and those end here. */
const largestModelBytes = 2 ** 31 - 1;

export interface MemoryEstimate {
  /** What the optimiser changes. */
  readonly trainedParameters: number;
  /** Weights, gradients and two moments of what is trained; the base below an adapter, mapped. */
  readonly trainerBytes: number;
  /** Of the trainer, on top, at most: for the largest micro-batch of rows that fill the context. */
  readonly activationBytes: number;
  /** Weights as they are read, and packed in two sessions. */
  readonly policyWorkerBytes: number;
}

export function memoryEstimate(config: ModelConfig, lora: LoraConfig | null, contextLength: number, recomputes = false): MemoryEstimate {
  const whole = parameterCount(config);
  const trainedParameters = lora === null ? whole : countOf(adapterShapes(config, lora));
  const trainerBytes = 4 * float * trainedParameters + (lora === null ? 0 : float * whole);
  return { trainedParameters, trainerBytes, activationBytes: largestActivationBytes(config, contextLength, recomputes), policyWorkerBytes: 3 * float * whole };
}

function countOf(shapes: ReadonlyMap<string, readonly number[]>): number {
  return [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
}

/** What stands in the way of this policy on a machine with so much memory; undefined: nothing. */
export function memoryProblem(
  config: ModelConfig,
  lora: LoraConfig | null,
  contextLength: number,
  memoryBytes: number,
  recomputes = false,
): string | undefined {
  const whole = float * parameterCount(config);
  if (whole > largestModelBytes)
    return `expected at most ${largestModelBytes} bytes of float32 weights, which is what one ONNX model holds, got ${whole}; use a smaller model`;
  const { trainerBytes, activationBytes, policyWorkerBytes } = memoryEstimate(config, lora, contextLength, recomputes);
  const needed = trainerBytes + activationBytes + policyWorkerBytes;
  if (needed <= memoryBytes) return undefined;
  const remedies = [
    ...(lora === null ? ['train an adapter (policy.lora)'] : []),
    ...(recomputes ? [] : ['compute activations again (policy.recomputeActivations)']),
    'lower policy.contextLength',
    'use a smaller model',
  ];
  return `expected a policy that fits into the ${memoryBytes} bytes of this machine, got one that needs ${needed} for trainer and policy worker; ${remedies.join(', or ')}`;
}
