/** @file Low-rank adapters (LoRA, arXiv 2106.09685): W x + scale · B (A x) with W frozen. Tensors are named and shaped as PEFT has them. */
import { randomOf, seedOf } from '../random.ts';
import type { ModelConfig, StoredTensor, Tensor, Weights } from './config.ts';
import { layerNames, tensorShapes } from './tensorNames.ts';

export const loraModules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  /** Scale by alpha / √rank (rsLoRA, arXiv 2312.03732) instead of alpha / rank. */
  readonly rsLora: boolean;
  /** As in PEFT: a module is adapted when its path is one of these or ends with a dot and one of these. */
  readonly targetModules: readonly string[];
}

/** The model below an adapter: its weights are read where they lie and never change. */
export interface FrozenBase {
  /** Absolute. */
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly lora: LoraConfig;
}

/** Names and shapes of what an optimiser changes: the whole model, or an adapter on a frozen base. */
export function trainedShapes(config: ModelConfig, base: Pick<FrozenBase, 'lora'> | null): ReadonlyMap<string, readonly number[]> {
  return base === null ? tensorShapes(config) : adapterShapes(config, base.lora);
}

export function loraScale({ rank, alpha, rsLora }: LoraConfig): number {
  return alpha / (rsLora ? Math.sqrt(rank) : rank);
}

/** Names of the two factors beside a weight of the base model. */
export function factorNames(weight: string): { readonly a: string; readonly b: string } {
  const module = `base_model.model.${weight.replace(/\.weight$/, '')}`;
  return { a: `${module}.lora_A.weight`, b: `${module}.lora_B.weight` };
}

/** Which of the two factors a tensor of an adapter is. */
export function isFactorB(name: string): boolean {
  return name.endsWith('.lora_B.weight');
}

/** The adapted weights, in the order of the model. @throws Error when a target names no projection of this architecture. */
export function adaptedWeights(config: ModelConfig, { targetModules }: Pick<LoraConfig, 'targetModules'>): readonly string[] {
  const weights = Array.from({ length: config.layerCount }, (_, layer) => projections(layer)).flat();
  const isTarget = (weight: string, target: string) => {
    const module = weight.replace(/\.weight$/, '');
    return module === target || module.endsWith(`.${target}`);
  };
  const stray = targetModules.find((target) => !weights.some((weight) => isTarget(weight, target)));
  if (stray !== undefined) throw new Error(`target modules: expected projections of the layers (${loraModules.join(', ')}), got ${JSON.stringify(stray)}`);
  return weights.filter((weight) => targetModules.some((target) => isTarget(weight, target)));
}

function projections(layer: number): string[] {
  const { query, key, value, output, gate, up, down } = layerNames(layer);
  return [query, key, value, output, gate, up, down];
}

/** A [rank, in] and B [out, rank] of every adapted weight. */
export function adapterShapes(config: ModelConfig, lora: LoraConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = tensorShapes(config);
  return new Map(
    adaptedWeights(config, lora).flatMap((weight) => {
      const [rows, columns] = shapes.get(weight) as [number, number];
      const { a, b } = factorNames(weight);
      return [[a, [lora.rank, columns]] as const, [b, [rows, lora.rank]] as const];
    }),
  );
}

/** As PEFT begins: A uniform within ±1 / √in, B zero, so that the adapter changes nothing yet. */
export function initialAdapter(config: ModelConfig, lora: LoraConfig, seed: number): Weights {
  return new Map(
    Array.from(adapterShapes(config, lora), ([name, shape]): [string, Tensor] => {
      const [rows, columns] = shape as [number, number];
      const data = new Float32Array(rows * columns);
      if (isFactorB(name)) return [name, { shape, data }];
      const random = randomOf(seedOf('initial adapter', seed, name));
      const bound = 1 / Math.sqrt(columns);
      return [name, { shape, data: data.map(() => bound * (2 * random.next() - 1)) }];
    }),
  );
}

/** W + scale · B A, added up in float64; every other tensor as it is. The given weights are left alone. */
export function mergedWeights(weights: Weights, adapter: Weights, lora: LoraConfig): Weights {
  return new Map(
    Array.from(weights, ([name, tensor]): [string, Tensor] => {
      const { a, b } = factorNames(name);
      const [factorA, factorB] = [adapter.get(a), adapter.get(b)];
      return [name, factorA && factorB ? merged(tensor, factorA, factorB, loraScale(lora)) : tensor];
    }),
  );
}

function merged({ shape, data }: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  const [rank, columns] = a.shape as [number, number];
  const result = new Float32Array(data.length);
  const row = new Float64Array(columns);
  for (let start = 0, out = 0; start < data.length; start += columns, out++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * (b.data[out * rank + r] as number);
      for (let column = 0; column < columns; column++) row[column] = (row[column] as number) + factor * (a.data[r * columns + column] as number);
    }
    for (let column = 0; column < columns; column++) result[start + column] = (data[start + column] as number) + (row[column] as number);
  }
  return { shape, data: result };
}
