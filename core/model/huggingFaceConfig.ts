/** @file config.json of a Hugging Face directory ⇄ ModelConfig. Settings that would change the result in silence are refused by name. */
import type { ModelConfig } from './config.ts';
import { ConfigFields, type Json } from './configFields.ts';
import { rotaryConfigOf, rotaryParametersOf } from './rotaryConfig.ts';

const architectures = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM', mistral: 'MistralForCausalLM' } as const;

/** Far above any model of these families; what is larger is a mistake or an attack. */
const limits = { vocabulary: 2 ** 22, width: 2 ** 20, layers: 2 ** 10, heads: 2 ** 12, positions: 2 ** 20 } as const;

/** @throws UnsupportedModel with the key, what was expected and what was found, when the file describes a model that turnwise cannot compute. */
export function modelConfigOf(json: unknown, where = 'config.json'): ModelConfig {
  const fields = new ConfigFields(where, json);
  const modelType = fields.get('model_type');
  if (!isModelType(modelType)) throw fields.unsupported('model_type', Object.keys(architectures).join(', '));
  refuseUnsupported(fields, modelType);
  const rotary = rotaryConfigOf(fields, fields.integer('max_position_embeddings', undefined, limits.positions));
  return {
    modelType,
    vocabSize: fields.integer('vocab_size', undefined, limits.vocabulary),
    ...widthsOf(fields, modelType),
    rmsNormEps: fields.positive('rms_norm_eps', 1e-6),
    ropeTheta: rotary.theta,
    ...(rotary.scaling ? { ropeScaling: rotary.scaling } : {}),
    tieWordEmbeddings: fields.flag('tie_word_embeddings'),
    ...biasesOf(fields, modelType),
    queryKeyNorm: modelType === 'qwen3',
    ...positionsOf(fields, modelType),
  };
}

type ModelType = ModelConfig['modelType'];

function widthsOf(fields: ConfigFields, modelType: ModelType) {
  const hiddenSize = fields.integer('hidden_size', undefined, limits.width);
  const headCount = fields.integer('num_attention_heads', undefined, limits.heads);
  const kvHeadCount = fields.integer('num_key_value_heads', headCount, limits.heads);
  if (headCount % kvHeadCount !== 0) throw fields.unsupported('num_key_value_heads', `a divisor of num_attention_heads ${headCount}`);
  const headDim = fields.integer('head_dim', modelType === 'qwen3' ? 128 : hiddenSize / headCount, limits.width);
  if (headDim % 2 !== 0) throw fields.unsupported('head_dim', 'an even number, since rotary positions turn pairs', headDim);
  return {
    hiddenSize,
    layerCount: fields.integer('num_hidden_layers', undefined, limits.layers),
    headCount,
    kvHeadCount,
    headDim,
    intermediateSize: fields.integer('intermediate_size', undefined, limits.width),
  };
}

function biasesOf(fields: ConfigFields, modelType: ModelType) {
  const configured = (modelType === 'llama' || modelType === 'qwen3') && fields.flag('attention_bias');
  return { attentionBias: configured || modelType === 'qwen2', outputBias: configured, feedForwardBias: modelType === 'llama' && fields.flag('mlp_bias') };
}

/** Up to its width a sliding window sees all, and turnwise goes no further. */
function positionsOf(fields: ConfigFields, modelType: ModelType): Pick<ModelConfig, 'maxPositions' | 'slidingWindow'> {
  const maxPositions = fields.integer('max_position_embeddings', undefined, limits.positions);
  const slides = modelType === 'mistral' || (modelType !== 'llama' && fields.flag('use_sliding_window'));
  if (!slides || fields.get('sliding_window') === undefined) return { maxPositions };
  const slidingWindow = fields.integer('sliding_window');
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

/** Settings that would change the result in silence if they were ignored. */
function refuseUnsupported(fields: ConfigFields, modelType: ModelType): void {
  if ((fields.get('hidden_act') ?? 'silu') !== 'silu') throw fields.unsupported('hidden_act', 'silu');
  if (fields.get('quantization_config') !== undefined) throw fields.unsupported('quantization_config', 'none, since weights are read as they are');
  const named = fields.get('architectures') ?? [architectures[modelType]];
  if (!Array.isArray(named) || !named.includes(architectures[modelType])) throw fields.unsupported('architectures', architectures[modelType]);
  if (modelType === 'mistral' && fields.flag('attention_bias')) throw fields.unsupported('attention_bias', 'false');
  if ((modelType === 'mistral' || modelType === 'qwen3') && fields.flag('mlp_bias')) throw fields.unsupported('mlp_bias', 'false');
}
