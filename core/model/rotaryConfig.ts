/** @file The rotary settings of config.json, newer (`rope_parameters`) and older (`rope_theta` + `rope_scaling`), as one of the kinds that rotary.ts computes. */
import type { RopeScaling } from './config.ts';
import { amount, integer, type Json, positive, unsupported } from './configFields.ts';

export interface RotaryConfig {
  readonly theta: number;
  readonly scaling: RopeScaling | undefined;
}

export function rotaryConfigOf(json: Json, maxPositions: number): RotaryConfig {
  const parameters = parametersOf(json);
  const theta = positive(parameters, 'rope_theta', positive(json, 'rope_theta', 10_000));
  const rotated = parameters['partial_rotary_factor'] ?? json['partial_rotary_factor'] ?? 1;
  if (rotated !== 1) throw unsupported('partial_rotary_factor', '1', rotated);
  return { theta, scaling: scalingOf(parameters, originalPositions(json, parameters, maxPositions), maxPositions) };
}

function parametersOf(json: Json): Json {
  const parameters = json['rope_parameters'] ?? json['rope_scaling'] ?? {};
  if (typeof parameters !== 'object' || Array.isArray(parameters)) throw unsupported('rope_parameters', 'an object', parameters);
  const nested = Object.entries(parameters as Json).find(([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value));
  if (nested) throw unsupported('rope_parameters', 'the same settings for every layer', nested[0]);
  return parameters as Json;
}

/** A number beside the rotary settings wins over the one among them, as in transformers. */
function originalPositions(json: Json, parameters: Json, maxPositions: number): number {
  const key = 'original_max_position_embeddings';
  return integer(json[key] === undefined || json[key] === null ? parameters : json, key, maxPositions);
}

function scalingOf(parameters: Json, originalMaxPositions: number, maxPositions: number): RopeScaling | undefined {
  const type = parameters['rope_type'] ?? parameters['type'] ?? 'default';
  switch (type) {
    // The dynamic kind stretches nothing up to max_position_embeddings, and turnwise goes no further.
    case 'default':
    case 'dynamic':
      return undefined;
    case 'linear':
      return { type: 'linear', factor: positive(parameters, 'factor') };
    case 'llama3': {
      const [lowFreqFactor, highFreqFactor] = [positive(parameters, 'low_freq_factor'), positive(parameters, 'high_freq_factor')];
      if (highFreqFactor <= lowFreqFactor) throw unsupported('high_freq_factor', `a number above low_freq_factor ${lowFreqFactor}`, highFreqFactor);
      return { type: 'llama3', factor: positive(parameters, 'factor'), lowFreqFactor, highFreqFactor, originalMaxPositions };
    }
    case 'yarn':
      return yarnOf(parameters, originalMaxPositions, maxPositions);
    default:
      throw unsupported('rope_parameters.rope_type', 'default, linear, dynamic, llama3 or yarn', type);
  }
}

function yarnOf(parameters: Json, originalMaxPositions: number, maxPositions: number): RopeScaling {
  const factor = positive(parameters, 'factor', maxPositions / originalMaxPositions);
  return {
    type: 'yarn',
    factor,
    attentionFactor: positive(parameters, 'attention_factor', impliedAttentionFactor(parameters, factor)),
    betaFast: positive(parameters, 'beta_fast', 32),
    betaSlow: positive(parameters, 'beta_slow', 1),
    wholeDimensions: parameters['truncate'] !== false,
    originalMaxPositions,
  };
}

function impliedAttentionFactor(parameters: Json, factor: number): number {
  const grown = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [one, all] = [amount(parameters, 'mscale'), amount(parameters, 'mscale_all_dim')];
  return one && all ? grown(one) / grown(all) : grown(1);
}

/** Under the newer key, for files that turnwise writes. */
export function rotaryParametersOf(theta: number, scaling: RopeScaling | undefined): Json {
  if (scaling === undefined) return { rope_type: 'default', rope_theta: theta };
  const common = { rope_type: scaling.type, rope_theta: theta, factor: scaling.factor };
  switch (scaling.type) {
    case 'linear':
      return common;
    case 'llama3':
      return {
        ...common,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
    case 'yarn':
      return {
        ...common,
        attention_factor: scaling.attentionFactor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        truncate: scaling.wholeDimensions,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
  }
}
