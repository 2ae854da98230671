/** @file A policy as a directory that other software loads, with its tokenizer: a Hugging Face model, or a PEFT adapter. */
import { join } from 'node:path';
import type { ModelConfig, Weights } from '../../core/model/config.ts';
import { modelConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { type FrozenBase, mergedWeights } from '../../core/model/lora.ts';
import { type Adapter, adapterConfigFileName, adapterWeightsFileName, baseDirectoryOf, isAdapterDirectory, readAdapterDirectory } from './adapterDirectory.ts';
import { baseModelFileName } from './baseModel.ts';
import { writeDurably } from './durableFile.ts';
import { frozenWeights } from './frozenWeights.ts';
import { openModelDirectory, readModelWeights } from './modelDirectory.ts';
import { readJsonFile } from './modelFile.ts';
import { cardFileName, declareFloat32, type PolicyFiles, readPolicyFiles, weightsFileName } from './policyFiles.ts';
import { encodeSafetensors } from './safetensors.ts';

export interface Policy {
  readonly config: ModelConfig;
  /** In the order of the model, float32. */
  readonly weights: Weights;
}

export interface TrainedPolicy extends Policy {
  /** Null where the whole model is trained; else `weights` are the adapter's. */
  readonly base: FrozenBase | null;
}

export interface PolicyContent {
  readonly weights: Weights;
  readonly files: PolicyFiles;
  /** The model card, Markdown. */
  readonly card: string;
}

/** The whole policy, an adapter merged into its base. @throws as openModelDirectory and readAdapterDirectory. */
export async function readPolicyDirectory(directory: string): Promise<Policy> {
  if (await isAdapterDirectory(directory)) return mergedPolicy(await readAdapterDirectory(directory));
  const model = await openModelDirectory(directory);
  return { config: model.config, weights: await readModelWeights(model) };
}

async function mergedPolicy({ model, lora, weights }: Adapter): Promise<Policy> {
  return { config: model.config, weights: mergedWeights(await readModelWeights(model), weights, lora) };
}

/** The same with its files, for a directory of a whole model in float32: the base's configuration, the adapter's tokenizer where it has one. */
export async function readWholePolicy(directory: string): Promise<Policy & Pick<PolicyContent, 'files'>> {
  if (!(await isAdapterDirectory(directory))) return { ...(await readPolicyDirectory(directory)), files: declareFloat32(await readPolicyFiles(directory)) };
  const adapter = await readAdapterDirectory(directory);
  const files = new Map([...(await readPolicyFiles(adapter.model.directory)), ...(await readPolicyFiles(directory))]);
  files.delete(adapterConfigFileName);
  files.delete(baseModelFileName);
  return { ...(await mergedPolicy(adapter)), files: declareFloat32(files) };
}

/** What an optimiser changes of a policy, and the base that it leaves alone. `folder` is where widened bases are kept. */
export async function readTrainedPolicy(directory: string, folder: string): Promise<TrainedPolicy> {
  if (!(await isAdapterDirectory(directory))) return { ...(await readPolicyDirectory(directory)), base: null };
  const { model, lora, weights, base } = await readAdapterDirectory(directory);
  return { config: model.config, weights, base: { ...(await frozenWeights(model, base, folder)), lora } };
}

/** The architecture of a policy, without reading a tensor. */
export async function readPolicyConfig(directory: string): Promise<ModelConfig> {
  const base = (await isAdapterDirectory(directory)) ? await baseDirectoryOf(directory) : directory;
  return modelConfigOf(await readJsonFile(base, 'config.json'), join(base, 'config.json'));
}

/** The directory's files by name, as pieces to be written one after another. */
export function policyPieces({ weights, files, card }: PolicyContent): ReadonlyMap<string, readonly Uint8Array[]> {
  const carried = [...files].map(([name, content]) => [name, [content]] as const);
  return new Map<string, readonly Uint8Array[]>([
    ...carried,
    [cardFileName, [Buffer.from(card)]],
    [files.has(adapterConfigFileName) ? adapterWeightsFileName : weightsFileName, encodeSafetensors(weights, { format: 'pt' })],
  ]);
}

export async function writePolicyDirectory(directory: string, content: PolicyContent): Promise<void> {
  for (const [name, pieces] of policyPieces(content)) await writeDurably(join(directory, name), pieces);
}
