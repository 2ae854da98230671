/** @file The golden model directories: what transformers computed, and the same inputs for us. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '../../activities/checkpoint/safetensors.ts';
import { adapterDescriptionOf } from '../../core/model/adapterConfig.ts';
import type { ModelConfig, Tensor, Weights } from '../../core/model/config.ts';
import { modelConfigOf } from '../../core/model/huggingFaceConfig.ts';
import type { LoraConfig } from '../../core/model/lora.ts';

export const goldenFolder = process.env['TURNWISE_GOLDEN'] ?? join(import.meta.dirname, '../golden');

export interface ExpectedJson {
  readonly inputIds: readonly (readonly number[])[];
  readonly behaviorLogprobs: readonly (readonly number[])[];
  readonly advantages: readonly (readonly number[])[];
  readonly sampledMask: readonly (readonly number[])[];
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly loss: number;
  readonly adamw: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    readonly maxGradNorm: number;
    readonly losses: readonly number[];
    readonly gradNorms: readonly number[];
  };
}

export interface GoldenModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: Weights;
  readonly expected: ExpectedJson;
  readonly tensors: Weights;
}

/** Directories of whole models; adapters have no config.json. */
export function goldenModelNames(): string[] {
  const folder = join(goldenFolder, 'models');
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json')));
}

export async function loadGoldenModel(name: string): Promise<GoldenModel> {
  const folder = join(goldenFolder, 'models', name);
  const json = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^model.*\.safetensors$/.test(file));
  const weights = new Map<string, Tensor>();
  for (const file of files) for (const [tensor, value] of (await readSafetensors(join(folder, file))).tensors) weights.set(tensor, value);
  const { tensors } = await readSafetensors(join(folder, 'expected.safetensors'));
  return { name, config: modelConfigOf(json('config.json')), weights, expected: json('expected.json'), tensors };
}

export interface GoldenAdapter {
  readonly name: string;
  /** The model below it: the same name without `-lora`. */
  readonly model: GoldenModel;
  readonly directory: string;
  readonly lora: LoraConfig;
  readonly weights: Weights;
  readonly loss: number;
  readonly tensors: Weights;
}

export function goldenAdapterNames(): string[] {
  const folder = join(goldenFolder, 'models');
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'adapter_config.json')));
}

export async function loadGoldenAdapter(name: string): Promise<GoldenAdapter> {
  const directory = join(goldenFolder, 'models', name);
  const json = (file: string) => JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const { tensors: weights } = await readSafetensors(join(directory, 'adapter_model.safetensors'));
  const { tensors } = await readSafetensors(join(directory, 'expected.safetensors'));
  const model = await loadGoldenModel(name.replace(/-lora$/, ''));
  return { name, model, directory, lora: adapterDescriptionOf(json('adapter_config.json')).lora, weights, loss: json('expected.json').loss, tensors };
}
