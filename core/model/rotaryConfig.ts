/** @file The rotary settings of config.json, newer (`rope_parameters`) and older (`rope_theta` + `rope_scaling`), as one of the kinds that rotary.ts computes. */
import type { RopeScaling } from './config.ts';
import { ConfigFields, type Json } from './configFields.ts';

export interface RotaryConfig {
  readonly theta: number;
  readonly scaling: RopeScaling | undefined;
}

export function rotaryConfigOf(fields: ConfigFields, maxPositions: number): RotaryConfig {
  const parameters = parametersOf(fields);
  const theta = parameters.positive('rope_theta', fields.positive('rope_theta', 10_000));
  const rotated = parameters.get('partial_rotary_factor') ?? fields.get('partial_rotary_factor') ?? 1;
  if (rotated !== 1) throw fields.unsupported('partial_rotary_factor', '1', rotated);
  return { theta, scaling: scalingOf(parameters, originalPositions(fields, parameters, maxPositions), maxPositions) };
}

function parametersOf(fields: ConfigFields): ConfigFields {
  const given = fields.get('rope_parameters') ?? fields.get('rope_scaling') ?? {};
  const parameters = new ConfigFields('config.json, rope_parameters', given);
  const nested = Object.entries(given).find(([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value));
  if (nested) throw fields.unsupported('rope_parameters', 'the same settings for every layer', nested[0]);
  return parameters;
}

/** A number beside the rotary settings wins over the one among them, as in transformers. */
function originalPositions(fields: ConfigFields, parameters: ConfigFields, maxPositions: number): number {
  const key = 'original_max_position_embeddings';
  return (fields.get(key) === undefined ? parameters : fields).integer(key, maxPositions);
}

function scalingOf(parameters: ConfigFields, originalMaxPositions: number, maxPositions: number): RopeScaling | undefined {
  const type = parameters.get('rope_type') ?? parameters.get('type') ?? 'default';
  switch (type) {
    // The dynamic kind stretches nothing up to max_position_embeddings, and turnwise goes no further.
    case 'default':
    case 'dynamic':
      return undefined;
    case 'linear':
      return { type: 'linear', factor: parameters.positive('factor') };
    case 'llama3': {
      const [lowFreqFactor, highFreqFactor] = [parameters.positive('low_freq_factor'), parameters.positive('high_freq_factor')];
      if (highFreqFactor <= lowFreqFactor) throw parameters.unsupported('high_freq_factor', `a number above low_freq_factor ${lowFreqFactor}`);
      return { type: 'llama3', factor: parameters.positive('factor'), lowFreqFactor, highFreqFactor, originalMaxPositions };
    }
    case 'yarn':
      return yarnOf(parameters, originalMaxPositions, maxPositions);
    default:
      throw parameters.unsupported('rope_type', 'default, linear, dynamic, llama3 or yarn', type);
  }
}

function yarnOf(parameters: ConfigFields, originalMaxPositions: number, maxPositions: number): RopeScaling {
  const factor = parameters.positive('factor', maxPositions / originalMaxPositions);
  return {
    type: 'yarn',
    factor,
    attentionFactor: parameters.positive('attention_factor', impliedAttentionFactor(parameters, factor)),
    betaFast: parameters.positive('beta_fast', 32),
    betaSlow: parameters.positive('beta_slow', 1),
    wholeDimensions: parameters.get('truncate') !== false,
    originalMaxPositions,
  };
}

function impliedAttentionFactor(parameters: ConfigFields, factor: number): number {
  const grown = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const [one, all] = [parameters.number('mscale', 0), parameters.number('mscale_all_dim', 0)];
  return one !== 0 && all !== 0 ? grown(one) / grown(all) : grown(1);
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
