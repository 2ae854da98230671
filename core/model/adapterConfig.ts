/** @file adapter_config.json of PEFT ⇄ LoraConfig. Settings that would change the result in silence are refused by name. */
import { ConfigFields, type Json } from './configFields.ts';
import { isHubName, parseHubName } from './hubName.ts';
import { type LoraConfig, loraModules } from './lora.ts';

export interface AdapterDescription {
  readonly lora: LoraConfig;
  /** `base_model_name_or_path`: a path, a name on the hub, or here also `hub:org/name@commit`. */
  readonly base: string;
  /** Of a base that is named by its hub name. */
  readonly revision?: string;
}

/** Beyond any rank in use. */
const largestRank = 4096;

/** Values with which a setting changes nothing; others are refused. */
const neutral: Readonly<Record<string, readonly unknown[]>> = {
  peft_type: ['LORA'],
  bias: ['none'],
  fan_in_fan_out: [false],
  use_dora: [false],
  use_qalora: [false],
  lora_bias: [false],
  layers_to_transform: [],
  layer_replication: [],
  modules_to_save: [],
  exclude_modules: [],
  target_parameters: [],
  trainable_token_indices: [],
  alora_invocation_tokens: [],
  rank_pattern: [],
  alpha_pattern: [],
};

/** @throws UnsupportedModel with the key, what was expected and what was found. */
export function adapterDescriptionOf(json: unknown): AdapterDescription {
  const fields = new ConfigFields('adapter_config.json', json);
  for (const [key, allowed] of Object.entries(neutral)) {
    const value = fields.get(key);
    if (!isEmpty(value) && !allowed.includes(value)) throw fields.unsupported(key, allowed.length === 0 ? 'nothing' : allowed.join(' or '));
  }
  const base = fields.get('base_model_name_or_path');
  if (typeof base !== 'string' || base === '') throw fields.unsupported('base_model_name_or_path', 'the directory or name of the base model');
  const lora = {
    rank: fields.integer('r', undefined, largestRank),
    alpha: fields.positive('lora_alpha'),
    rsLora: fields.flag('use_rslora'),
    targetModules: targetsOf(fields),
  };
  const revision = fields.get('revision');
  return { lora, base, ...(typeof revision === 'string' && { revision }) };
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

/** PEFT writes a set: sorted, so that its order is no difference. */
function targetsOf(fields: ConfigFields): readonly string[] {
  const value = fields.get('target_modules');
  if (value === 'all-linear') return loraModules;
  const isList = Array.isArray(value) && value.length > 0 && value.every((target) => typeof target === 'string' && target !== '');
  if (!isList) throw fields.unsupported('target_modules', 'a list of module names, or all-linear');
  return [...new Set(value as readonly string[])].sort();
}

/** The file that `PeftModel.from_pretrained` reads. */
export function adapterConfigOf({ lora, base }: AdapterDescription): Json {
  const named = isHubName(base) ? parseHubName(base) : { repo: base, revision: null };
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: named.repo,
    revision: named.revision,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: 0,
    target_modules: [...lora.targetModules].sort(),
    use_rslora: lora.rsLora,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
  };
}
