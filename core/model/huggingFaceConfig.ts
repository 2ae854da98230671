/** @file config.json of a Hugging Face directory ⇄ ModelConfig. Settings that would change the result in silence are refused by name. */
import type { ModelConfig } from './config.ts';
import { flag, integer, type Json, positive, unsupported } from './configFields.ts';
import { rotaryConfigOf, rotaryParametersOf } from './rotaryConfig.ts';

const architectures = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM', mistral: 'MistralForCausalLM' } as const;

/** Far above any model of these families; what is larger is a mistake or an attack. */
const limits = { vocabulary: 2 ** 22, width: 2 ** 20, layers: 2 ** 10, heads: 2 ** 12, positions: 2 ** 20 } as const;

/** @throws UnsupportedModel with the key, what was expected and what was found, when the file describes a model that turnwise cannot compute. */
export function modelConfigOf(json: unknown): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw unsupported('the file', 'a JSON object', json);
  return configOf(json as Json);
}

function configOf(json: Json): ModelConfig {
  const modelType = json['model_type'];
  if (!isModelType(modelType)) throw unsupported('model_type', Object.keys(architectures).join(', '), modelType);
  refuseUnsupported(json, modelType);
  const positions = positionsOf(json, modelType);
  const rotary = rotaryConfigOf(json, integer(json, 'max_position_embeddings', undefined, limits.positions));
  return {
    modelType,
    vocabSize: integer(json, 'vocab_size', undefined, limits.vocabulary),
    ...widthsOf(json, modelType),
    rmsNormEps: positive(json, 'rms_norm_eps', 1e-6),
    ropeTheta: rotary.theta,
    ...(rotary.scaling ? { ropeScaling: rotary.scaling } : {}),
    tieWordEmbeddings: flag(json, 'tie_word_embeddings'),
    ...biasesOf(json, modelType),
    queryKeyNorm: modelType === 'qwen3',
    ...positions,
  };
}

type ModelType = ModelConfig['modelType'];

function widthsOf(json: Json, modelType: ModelType) {
  const hiddenSize = integer(json, 'hidden_size', undefined, limits.width);
  const headCount = integer(json, 'num_attention_heads', undefined, limits.heads);
  const kvHeadCount = integer(json, 'num_key_value_heads', headCount, limits.heads);
  if (headCount % kvHeadCount !== 0) throw unsupported('num_key_value_heads', `a divisor of num_attention_heads ${headCount}`, kvHeadCount);
  const headDim = integer(json, 'head_dim', modelType === 'qwen3' ? 128 : hiddenSize / headCount, limits.width);
  if (headDim % 2 !== 0) throw unsupported('head_dim', 'an even number, since rotary positions turn pairs', headDim);
  return {
    hiddenSize,
    layerCount: integer(json, 'num_hidden_layers', undefined, limits.layers),
    headCount,
    kvHeadCount,
    headDim,
    intermediateSize: integer(json, 'intermediate_size', undefined, limits.width),
  };
}

function biasesOf(json: Json, modelType: ModelType) {
  const configured = (modelType === 'llama' || modelType === 'qwen3') && flag(json, 'attention_bias');
  return { attentionBias: configured || modelType === 'qwen2', outputBias: configured, feedForwardBias: modelType === 'llama' && flag(json, 'mlp_bias') };
}

/** Up to its width a sliding window sees all, and turnwise goes no further. */
function positionsOf(json: Json, modelType: ModelType): Pick<ModelConfig, 'maxPositions' | 'slidingWindow'> {
  const maxPositions = integer(json, 'max_position_embeddings', undefined, limits.positions);
  const slides = modelType === 'mistral' || (modelType !== 'llama' && flag(json, 'use_sliding_window'));
  const given = json['sliding_window'] ?? null;
  if (!slides || given === null) return { maxPositions };
  const slidingWindow = integer(json, 'sliding_window', undefined, 2 ** 31);
  return slidingWindow < maxPositions ? { maxPositions: slidingWindow, slidingWindow } : { maxPositions };
}

/** The file that `AutoModelForCausalLM.from_pretrained` reads. */
export function huggingFaceConfigOf(config: ModelConfig, tokens: { readonly endOfTurn: number; readonly padding: number }): Json {
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
    ...rotaryFields(config),
    tie_word_embeddings: config.tieWordEmbeddings,
    ...(config.modelType === 'qwen2' ? {} : { attention_bias: config.attentionBias }),
    ...(config.modelType === 'llama' ? { mlp_bias: config.feedForwardBias } : {}),
    attention_dropout: 0,
    use_sliding_window: false,
    sliding_window: config.slidingWindow ?? null,
    max_position_embeddings: config.maxPositions,
    bos_token_id: null,
    eos_token_id: tokens.endOfTurn,
    pad_token_id: tokens.padding,
    use_cache: true,
  };
}

/** Under both keys: transformers before version 5 knows only the older ones. */
function rotaryFields({ ropeTheta, ropeScaling }: ModelConfig): Json {
  const parameters = rotaryParametersOf(ropeTheta, ropeScaling);
  const { rope_theta: _, ...scaling } = parameters;
  return { rope_theta: ropeTheta, rope_parameters: parameters, ...(ropeScaling ? { rope_scaling: scaling } : {}) };
}

function isModelType(name: unknown): name is ModelType {
  return typeof name === 'string' && Object.hasOwn(architectures, name);
}

function refuseUnsupported(json: Json, modelType: ModelType): void {
  const activation = json['hidden_act'] ?? 'silu';
  if (activation !== 'silu') throw unsupported('hidden_act', 'silu', activation);
  if (json['quantization_config'] !== undefined)
    throw unsupported('quantization_config', 'none, since weights are read as they are', json['quantization_config']);
  const named = json['architectures'] ?? [architectures[modelType]];
  if (!Array.isArray(named) || !named.includes(architectures[modelType])) throw unsupported('architectures', architectures[modelType], named);
  for (const [key, families] of Object.entries({ attention_bias: ['llama', 'qwen3'], mlp_bias: ['llama'] })) {
    if (modelType !== 'qwen2' && !families.includes(modelType) && flag(json, key)) throw unsupported(key, 'false', true);
  }
}
