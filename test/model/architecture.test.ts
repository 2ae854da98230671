/** @file Configurations, tensor names, presets, initial weights and the plan of micro-batches. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOf, planMicroBatches } from '../../activities/policy/training/microBatches.ts';
import { huggingFaceConfigOf, modelConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { checkTensors, parameterCount, tensorShapes } from '../../core/model/tensorNames.ts';
import { bytesOf } from './trainingRows.ts';

const goldenConfig = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../golden/models', name, 'config.json'), 'utf8'));

describe('config.json', () => {
  it.each(['qwen2-tiny', 'qwen3-tiny', 'llama-tiny-bf16'])('%s survives being written again', (name) => {
    const config = modelConfigOf(goldenConfig(name));
    expect(modelConfigOf(huggingFaceConfigOf(config, { endOfTurn: 2, padding: 0 }) as Record<string, unknown>)).toEqual(config);
  });

  it('reads the older rope_theta and rope_scaling', () => {
    const { rope_parameters, ...older } = goldenConfig('llama-tiny-bf16');
    const { rope_theta, ...scaling } = rope_parameters;
    expect(modelConfigOf({ ...older, rope_theta, rope_scaling: scaling })).toEqual(modelConfigOf({ ...older, rope_parameters }));
  });

  it.each([
    ['hidden_act', 'gelu'],
    ['model_type', 'gpt2'],
    ['use_sliding_window', 'yes'],
    ['vocab_size', '320'],
    ['num_hidden_layers', 1e9],
    ['head_dim', 15],
    ['num_key_value_heads', 3],
    ['partial_rotary_factor', 0.5],
    ['quantization_config', { quant_method: 'gptq' }],
    ['rope_parameters', { rope_type: 'longrope', rope_theta: 1e4 }],
  ])('refuses %s = %j by its name', (key, value) => {
    expect(() => modelConfigOf({ ...goldenConfig('qwen2-tiny'), [key]: value })).toThrow(new RegExp(`config.json, ${key}`));
  });
});

describe('a sliding window', () => {
  const windowed = (keys: object) => modelConfigOf({ ...goldenConfig('qwen2-tiny'), max_position_embeddings: 128, ...keys });

  it('narrower than the positions limits the context', () => {
    expect(windowed({ model_type: 'mistral', architectures: ['MistralForCausalLM'], sliding_window: 48 })).toMatchObject({
      maxPositions: 48,
      slidingWindow: 48,
    });
    expect(windowed({ use_sliding_window: true, sliding_window: 48 })).toMatchObject({ maxPositions: 48, slidingWindow: 48 });
  });

  it('that nothing uses, or that is as wide as the positions, does not', () => {
    expect(windowed({ use_sliding_window: false, sliding_window: 48 })).toMatchObject({ maxPositions: 128 });
    expect(windowed({ model_type: 'mistral', architectures: ['MistralForCausalLM'], sliding_window: 4096 }).slidingWindow).toBeUndefined();
  });
});

describe('presets', () => {
  it.each([
    ['nano', 98, 604_800],
    ['S', 512, 3_283_200],
    ['M', 4096, 27_287_040],
  ] as const)('%s has the parameters of its recipe', (name, vocabulary, count) => {
    expect(Math.abs(parameterCount(presetConfig(name, vocabulary)) / count - 1)).toBeLessThan(0.01);
  });
});

describe('initial weights', () => {
  const config = presetConfig('nano', 98);
  const deviation = (data: Float32Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);

  it('are a pure function of the seed', () => {
    expect(bytesOf(initialWeights(config, 3)).equals(bytesOf(initialWeights(config, 3)))).toBe(true);
    expect(bytesOf(initialWeights(config, 3)).equals(bytesOf(initialWeights(config, 4)))).toBe(false);
  });

  it('have the deviations of the recipe, and queries that resemble their keys', () => {
    const weights = initialWeights(config, 3);
    const of = (name: string) => (weights.get(name) as { data: Float32Array }).data;
    expect(deviation(of('model.embed_tokens.weight'))).toBeCloseTo(0.3, 2);
    expect(deviation(of('model.layers.0.mlp.gate_proj.weight'))).toBeCloseTo(1 / Math.sqrt(128), 2);
    expect(deviation(of('model.layers.1.mlp.down_proj.weight'))).toBeCloseTo(1 / Math.sqrt(384 * 6), 2);
    expect([...new Set(of('model.norm.weight'))]).toEqual([1]);
    expect([...new Set(of('model.layers.2.self_attn.q_proj.bias'))]).toEqual([0]);
    const [query, key] = [of('model.layers.0.self_attn.q_proj.weight'), of('model.layers.0.self_attn.k_proj.weight')];
    const lastHead = query.subarray(3 * 32 * 128);
    const product = lastHead.reduce((sum, value, i) => sum + value * (key[32 * 128 + i] as number), 0);
    // correlation of .3 q + .7 k with k: .7 / √(.3² + .7²)
    expect(product / (lastHead.length * deviation(lastHead) * deviation(key.subarray(32 * 128)))).toBeCloseTo(0.919, 1);
  });

  it('fit the configuration, and a missing or misshapen tensor is named', () => {
    const weights = initialWeights(config, 1);
    expect(() => checkTensors(tensorShapes(config), weights)).not.toThrow();
    const broken = new Map([...tensorShapes(config)].map(([name, shape]) => [name, { shape: name.endsWith('up_proj.weight') ? [1, 1] : shape }]));
    expect(() => checkTensors(tensorShapes(config), broken)).toThrow(
      /model.layers.0.mlp.up_proj.weight: expected shape \[384,128\] from the configuration, got \[1,1\]/,
    );
    broken.delete('model.embed_tokens.weight');
    expect(() => checkTensors(tensorShapes(config), broken)).toThrow(/expected a tensor model.embed_tokens.weight/);
  });
});

describe('micro-batches', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 60 });

  it('hold every row once, fit their grid, and stay below the limit', () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 704, max: 9000 }), (given, maxTokens) => {
        const plan = planMicroBatches(given, maxTokens);
        expect(plan.flatMap(({ rows }) => rows).sort((a, b) => a - b)).toEqual(given.map((_, row) => row));
        for (const batch of plan) {
          expect(Math.max(...batch.rows.map((row) => given[row] as number))).toBeLessThanOrEqual(batch.length);
          expect(cellsOf(batch)).toBeLessThanOrEqual(maxTokens);
        }
      }),
    );
  });

  it('put rows of similar length together, the longest first', () => {
    expect(planMicroBatches([20, 150, 21, 149, 22, 151, 23, 152], 640)).toEqual([
      { rows: [7, 5, 1, 3], length: 152, shared: null },
      { rows: [6, 4, 2, 0], length: 24, shared: null },
    ]);
    expect(planMicroBatches([900], 640)).toEqual([{ rows: [0], length: 904, shared: null }]);
  });
});
