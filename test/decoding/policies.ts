/** @file Policies for decoding tests: sharp random weights, so that greedy and sampled tokens vary. */

import { DecodingBatch } from '../../activities/policy/decoding/decodingBatch.ts';
import type { DecodingRequest, Generation } from '../../activities/policy/decoding/decodingRequest.ts';
import { createPolicyModel, type PolicyModel } from '../../activities/policy/decoding/policyModel.ts';
import { PrefixCache } from '../../activities/policy/decoding/prefixCache.ts';
import type { ModelConfig, Weights } from '../../core/model/config.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { presetConfig } from '../../core/model/presets.ts';
import type { WeightPrecision } from '../../core/model/quantisation.ts';
import { embeddingName } from '../../core/model/tensorNames.ts';

export const nano: ModelConfig = presetConfig('nano', 98);
/** The shape of S with fewer layers, so that the test is quick. */
export const likeS: ModelConfig = { ...presetConfig('S', 512), layerCount: 2 };

export function model(config: ModelConfig, seed = 1, precision: WeightPrecision = 'float32'): Promise<PolicyModel> {
  return createPolicyModel(`${config.hiddenSize}/${seed}`, config, weightsOf(config, seed), precision);
}

/** The embedding is shrunk: as it is initialised, an untrained policy repeats one token. Biases, which begin at 0, get values of their own. */
export function weightsOf(config: ModelConfig, seed = 1): Weights {
  return new Map([...initialWeights(config, seed)].map(([name, { shape, data }]) => [name, { shape, data: data.map(sharper(name)) }]));
}

function sharper(name: string): (value: number, index: number) => number {
  if (name.endsWith('.bias')) return (_, index) => 0.3 * Math.sin(index + name.length);
  return name === embeddingName ? (value) => 0.5 * value : (value) => value;
}

/** Decodes requests that join one after the other: request i before step `arrivals[i]`. */
export async function decode(
  policy: PolicyModel,
  requests: readonly DecodingRequest[],
  options: { arrivals?: readonly number[]; maxRows?: number; prefixes?: PrefixCache } = {},
): Promise<Generation[]> {
  const batch = new DecodingBatch(policy, options.prefixes ?? new PrefixCache(2 ** 26), options.maxRows ?? 64);
  const generations: Generation[] = [];
  let left = requests.length;
  for (let step = 0; left > 0; step++) {
    requests.forEach((request, id) => {
      if ((options.arrivals?.[id] ?? 0) === step) batch.add(id, request);
    });
    for (const finished of await batch.advance()) {
      if ('error' in finished) throw finished.error;
      generations[finished.id] = finished.generation;
      left -= 1;
    }
    if (step > 2000) throw new Error(`decode: ${left} requests did not end`);
  }
  return generations;
}
