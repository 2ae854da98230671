/** @file config.json of a Hugging Face directory ⇄ ModelConfig, for newer (`rope_parameters`) and older (`rope_theta` + `rope_scaling`) files. */
import type { ModelConfig, RopeScaling } from './config.ts';

type Json = Readonly<Record<string, unknown>>;

const architectures = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM', mistral: 'MistralForCausalLM' } as const;

/** @throws with the key, what was expected and what was found, when the file describes a model that turnwise cannot compute. */
export function modelConfigOf(json: Json): ModelConfig {
  const modelType = json['model_type'];
  if (!isModelType(modelType)) throw unsupported('model_type', Object.keys(architectures).join(', '), modelType);
  refuseUnsupported(json);
  const hiddenSize = integer(json, 'hidden_size');
  const headCount = integer(json, 'num_attention_heads');
  const rope = ropeOf(json);
  return {
    modelType,
    vocabSize: integer(json, 'vocab_size'),
    hiddenSize,
    layerCount: integer(json, 'num_hidden_layers'),
    headCount,
    kvHeadCount: integer(json, 'num_key_value_heads', headCount),
    headDim: integer(json, 'head_dim', hiddenSize / headCount),
    intermediateSize: integer(json, 'intermediate_size'),
    rmsNormEps: number(json, 'rms_norm_eps', 1e-6),
    ropeTheta: rope.theta,
    ...(rope.scaling ? { ropeScaling: rope.scaling } : {}),
    tieWordEmbeddings: json['tie_word_embeddings'] === true,
    attentionBias: modelType === 'qwen2',
    queryKeyNorm: modelType === 'qwen3',
    maxPositions: integer(json, 'max_position_embeddings'),
  };
}

/** The file that `AutoModelForCausalLM.from_pretrained` reads. */
export function huggingFaceConfigOf(config: ModelConfig, tokens: { readonly endOfTurn: number; readonly padding: number }): Json {
  const { ropeScaling } = config;
  const scaling = ropeScaling && {
    factor: ropeScaling.factor,
    low_freq_factor: ropeScaling.lowFreqFactor,
    high_freq_factor: ropeScaling.highFreqFactor,
    original_max_position_embeddings: ropeScaling.originalMaxPositions,
  };
  return {
    architectures: [architectures[config.modelType]],
    model_type: config.modelType,
    dtype: 'float32',
    torch_dtype: 'float32',
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    num_hidden_layers: config.layerCount,
    num_attention_heads: config.headCount,
    num_key_value_heads: config.kvHeadCount,
    head_dim: config.headDim,
    intermediate_size: config.intermediateSize,
    hidden_act: 'silu',
    rms_norm_eps: config.rmsNormEps,
    rope_theta: config.ropeTheta,
    rope_parameters: { rope_type: ropeScaling?.type ?? 'default', rope_theta: config.ropeTheta, ...scaling },
    ...(ropeScaling ? { rope_scaling: { rope_type: ropeScaling.type, ...scaling } } : {}),
    tie_word_embeddings: config.tieWordEmbeddings,
    ...(config.modelType === 'qwen2' ? {} : { attention_bias: false }),
    ...(config.modelType === 'llama' ? { mlp_bias: false } : {}),
    attention_dropout: 0,
    use_sliding_window: false,
    sliding_window: null,
    max_position_embeddings: config.maxPositions,
    bos_token_id: null,
    eos_token_id: tokens.endOfTurn,
    pad_token_id: tokens.padding,
    use_cache: true,
  };
}

function isModelType(name: unknown): name is keyof typeof architectures {
  return typeof name === 'string' && Object.hasOwn(architectures, name);
}

/** Settings that would silently change the result if they were ignored. */
function refuseUnsupported(json: Json): void {
  const activation = json['hidden_act'] ?? 'silu';
  if (activation !== 'silu') throw unsupported('hidden_act', 'silu', activation);
  if (json['use_sliding_window'] === true) throw unsupported('use_sliding_window', 'false', true);
  if (json['model_type'] === 'mistral' && typeof json['sliding_window'] === 'number') throw unsupported('sliding_window', 'null', json['sliding_window']);
  for (const key of ['attention_bias', 'mlp_bias']) {
    if (json['model_type'] !== 'qwen2' && json[key] === true) throw unsupported(key, 'false', true);
  }
}

function ropeOf(json: Json): { theta: number; scaling: RopeScaling | undefined } {
  const parameters = (json['rope_parameters'] ?? json['rope_scaling'] ?? {}) as Json;
  const theta = number(parameters, 'rope_theta', number(json, 'rope_theta', 10_000));
  const type = parameters['rope_type'] ?? parameters['type'] ?? 'default';
  if (type === 'default') return { theta, scaling: undefined };
  if (type !== 'llama3') throw unsupported('rope_parameters.rope_type', 'default or llama3', type);
  return {
    theta,
    scaling: {
      type,
      factor: number(parameters, 'factor'),
      lowFreqFactor: number(parameters, 'low_freq_factor'),
      highFreqFactor: number(parameters, 'high_freq_factor'),
      originalMaxPositions: integer(parameters, 'original_max_position_embeddings'),
    },
  };
}

function number(json: Json, key: string, otherwise?: number): number {
  const value = json[key] ?? otherwise;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw unsupported(key, 'a number', value);
  return value;
}

function integer(json: Json, key: string, otherwise?: number): number {
  const value = number(json, key, otherwise);
  if (!Number.isInteger(value) || value < 1) throw unsupported(key, 'a whole number from 1 on', value);
  return value;
}

function unsupported(key: string, expected: string, got: unknown): Error {
  return new Error(`config.json, ${key}: expected ${expected}, got ${JSON.stringify(got)}`);
}
