/** @file An adapter as a PEFT directory: adapter_config.json, adapter_model.safetensors, and the base model below it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { adapterDescriptionOf } from '../../core/model/adapterConfig.ts';
import type { Weights } from '../../core/model/config.ts';
import { isHubName, isPinned, parseHubName } from '../../core/model/hubName.ts';
import { adapterShapes, type LoraConfig } from '../../core/model/lora.ts';
import { checkTensors } from '../../core/model/tensorNames.ts';
import { type BaseModel, baseModelFileName, describeBaseModel, readBaseModel, verifyBaseModel } from './baseModel.ts';
import type { Tell } from './hub/downloadProgress.ts';
import { type ModelDirectory, openModelDirectory } from './modelDirectory.ts';
import { ModelDirectoryError, readJsonFile } from './modelFile.ts';
import { baseOfAdapter, modelDirectoryOf, pinnedModel } from './modelSource.ts';
import { readHeader, readTensors } from './safetensors.ts';

export const adapterConfigFileName = 'adapter_config.json';
export const adapterWeightsFileName = 'adapter_model.safetensors';

export interface Adapter {
  readonly lora: LoraConfig;
  readonly weights: Weights;
  readonly base: BaseModel;
  /** The base, opened, with the hash that `base` says. */
  readonly model: ModelDirectory;
}

export function isAdapterDirectory(directory: string): Promise<boolean> {
  return isThere(join(directory, adapterConfigFileName));
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * @param pinnedBase of an adapter whose files name no commit of its base.
 * @throws an error that names the file, key or tensor; CheckpointError when the base is another than the adapter was trained on.
 */
export async function readAdapterDirectory(directory: string, pinnedBase?: string): Promise<Adapter> {
  const { lora, base: named, revision } = adapterDescriptionOf(await readJsonFile(directory, adapterConfigFileName));
  // Adapters that other software made name their base by a path alone.
  const known = (await isThere(join(directory, baseModelFileName))) ? await readBaseModel(directory) : undefined;
  const source = known?.model ?? pinnedBase ?? (await pinnedModel(baseOfAdapter(named, revision)));
  const model = await openModelDirectory(await existingBase(directory, source));
  if (known !== undefined) await verifyBaseModel(known, model);
  const base = known ?? (await describeBaseModel(isHubName(source) ? source : model.directory, model));
  return { lora, base, model, weights: await readAdapterWeights(directory, adapterShapes(model.config, lora)) };
}

/** Where an adapter's base is: by base_model.json where turnwise made the adapter, else by its name in adapter_config.json. */
export async function baseDirectoryOf(directory: string, pinnedBase?: string, tell?: Tell): Promise<string> {
  if (await isThere(join(directory, baseModelFileName))) return existingBase(directory, (await readBaseModel(directory)).model, tell);
  const { base, revision } = adapterDescriptionOf(await readJsonFile(directory, adapterConfigFileName));
  return existingBase(directory, pinnedBase ?? baseOfAdapter(base, revision), tell);
}

/** The base that will be another one tomorrow: its name on the hub, without a commit. Undefined for every other adapter, and for a whole model. */
export async function movingBaseOf(directory: string): Promise<string | undefined> {
  if (!(await isAdapterDirectory(directory)) || (await isThere(join(directory, baseModelFileName)))) return undefined;
  const { base, revision } = adapterDescriptionOf(await readJsonFile(directory, adapterConfigFileName));
  const source = baseOfAdapter(base, revision);
  return isHubName(source) && !isPinned(parseHubName(source)) ? source : undefined;
}

async function existingBase(adapter: string, base: string, tell?: Tell): Promise<string> {
  const directory = await modelDirectoryOf(base, tell);
  if (await isThere(join(directory, 'config.json'))) return directory;
  const place = (await isThere(join(adapter, baseModelFileName))) ? `model in ${baseModelFileName}` : `base_model_name_or_path in ${adapterConfigFileName}`;
  throw new ModelDirectoryError(`${adapter}: expected the adapter's base model at ${directory}, found none; put it there, or change ${place}`);
}

/** Adapters of other software often come without a tokenizer; then it is that of their base. */
export async function tokenizerDirectoryOf(directory: string, pinnedBase?: string): Promise<string> {
  if ((await isThere(join(directory, 'tokenizer.json'))) || !(await isAdapterDirectory(directory))) return directory;
  return baseDirectoryOf(directory, pinnedBase);
}

async function readAdapterWeights(directory: string, shapes: ReadonlyMap<string, readonly number[]>): Promise<Weights> {
  const path = join(directory, adapterWeightsFileName);
  const { entries, dataStart } = await readHeader(path);
  try {
    checkTensors(shapes, new Map(entries.map((entry) => [entry.name, entry])));
  } catch (error) {
    throw new ModelDirectoryError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  const read = await readTensors(
    path,
    entries.map((entry) => ({ ...entry, offset: dataStart + entry.begin })),
  );
  return new Map(Array.from(shapes.keys(), (name) => [name, read.get(name) as NonNullable<ReturnType<typeof read.get>>]));
}
