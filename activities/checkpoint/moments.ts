/** @file AdamW state as safetensors, under PyTorch's names: `exp_avg.<tensor>`, `exp_avg_sq.<tensor>`, and the number of optimiser steps. */
import type { AdamMoments, Tensor, Weights } from '../../core/model/config.ts';
import { encodeSafetensors, readSafetensors } from './safetensors.ts';
import { SafetensorsError } from './safetensorsHeader.ts';

const firstPrefix = 'exp_avg.';
const secondPrefix = 'exp_avg_sq.';

export function encodeMoments(moments: AdamMoments | null): readonly Uint8Array[] {
  if (moments === null) return encodeSafetensors(new Map(), { step: '0' });
  const prefixed = (prefix: string, tensors: Weights) => [...tensors].map(([name, tensor]) => [prefix + name, tensor] as const);
  const tensors = new Map([...prefixed(firstPrefix, moments.first), ...prefixed(secondPrefix, moments.second)]);
  return encodeSafetensors(tensors, { step: String(moments.step) });
}

/** Null when no optimiser step has been taken. */
export async function readMoments(path: string): Promise<AdamMoments | null> {
  const { tensors, metadata } = await readSafetensors(path);
  const step = Number(metadata['step']);
  if (!Number.isSafeInteger(step) || step < 0)
    throw new SafetensorsError('badEntry', path, `expected the number of optimiser steps as metadata 'step', got ${metadata['step']}`);
  if (tensors.size === 0) return null;
  return { step, first: withPrefix(tensors, firstPrefix), second: withPrefix(tensors, secondPrefix) };
}

function withPrefix(tensors: Weights, prefix: string): Weights {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map<string, Tensor>(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
