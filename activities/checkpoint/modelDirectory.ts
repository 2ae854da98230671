/**
 * @file A Hugging Face model directory, opened: configuration and headers are read and checked against each other, completely, before any
 * tensor is. The weights lie in `model.safetensors`, or in the shards that `model.safetensors.index.json` lists.
 */
import { basename, join } from 'node:path';
import type { ModelConfig, Tensor, Weights } from '../../core/model/config.ts';
import { modelConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { checkTensors, tensorShapes } from '../../core/model/tensorNames.ts';
import { ModelDirectoryError, parsedJson, readJsonFile, readTextFile } from './modelFile.ts';
import { readHeader, readTensors } from './safetensors.ts';
import { SafetensorsError, type TensorEntry } from './safetensorsHeader.ts';

const indexName = 'model.safetensors.index.json';
const largestConfig = 2 ** 20;

export interface TensorPlace extends TensorEntry {
  /** Name of the file in the directory. */
  readonly file: string;
  /** Where the tensor's bytes begin in it. */
  readonly offset: number;
}

export interface ModelDirectory {
  readonly directory: string;
  readonly config: ModelConfig;
  /** In the order of the model, none missing, none too many. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
}

/** @throws ModelDirectoryError, UnsupportedModel or SafetensorsError, naming the file, key or tensor. */
export async function openModelDirectory(directory: string): Promise<ModelDirectory> {
  const config = modelConfigOf(await readJsonFile(directory, 'config.json', largestConfig), join(directory, 'config.json'));
  const found = await tensorPlaces(directory);
  const shapes = tensorShapes(config);
  // A tied model's lm_head is its embedding, and rotary frequencies follow from config.json: some files hold copies of them.
  const extra = [...found.keys()].filter((name) => !shapes.has(name) && !isDerived(name, config));
  const tensors = new Map([...shapes.keys(), ...extra].flatMap((name) => (found.has(name) ? [[name, found.get(name) as TensorPlace] as const] : [])));
  try {
    checkTensors(shapes, tensors);
  } catch (error) {
    throw new ModelDirectoryError(`${directory}: ${(error as Error).message}`, { cause: error });
  }
  return { directory, config, tensors };
}

function isDerived(name: string, config: ModelConfig): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || (config.tieWordEmbeddings && name === 'lm_head.weight');
}

/** All of the model as float32, file by file. */
export async function readModelWeights({ directory, tensors }: ModelDirectory): Promise<Weights> {
  const read = new Map<string, Tensor>();
  for (const file of new Set([...tensors.values()].map((place) => place.file))) {
    const places = [...tensors.values()].filter((place) => place.file === file);
    for (const [name, tensor] of await readTensors(join(directory, file), places)) read.set(name, tensor);
  }
  return new Map(Array.from(tensors.keys(), (name) => [name, read.get(name) as Tensor]));
}

async function tensorPlaces(directory: string): Promise<ReadonlyMap<string, TensorPlace>> {
  const index = await readTextFile(directory, indexName);
  if (index === undefined) return new Map((await placesIn(directory, 'model.safetensors')).map((place) => [place.name, place]));
  const path = join(directory, indexName);
  const shardOf = weightMapOf(parsedJson(index, path), path);
  const places = new Map<string, TensorPlace>();
  for (const shard of new Set(shardOf.values())) {
    for (const place of await placesIn(directory, shard)) {
      if (shardOf.get(place.name) !== shard)
        throw new SafetensorsError('badEntry', path, `tensor ${place.name}: expected it in ${shardOf.get(place.name) ?? 'no shard'}, found it in ${shard}`);
      places.set(place.name, place);
    }
  }
  const missing = [...shardOf.keys()].find((name) => !places.has(name));
  if (missing !== undefined) throw new SafetensorsError('badEntry', path, `tensor ${missing}: expected it in ${shardOf.get(missing)}, which does not hold it`);
  return places;
}

async function placesIn(directory: string, file: string): Promise<TensorPlace[]> {
  const { entries, dataStart } = await readHeader(join(directory, file));
  return entries.map((entry) => ({ ...entry, file, offset: dataStart + entry.begin }));
}

function weightMapOf(index: unknown, path: string): ReadonlyMap<string, string> {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  const entries = typeof map === 'object' && map !== null ? Object.entries(map) : [];
  if (entries.length === 0) throw new SafetensorsError('badEntry', path, 'expected weight_map with at least one tensor');
  const isFileName = (file: unknown) => typeof file === 'string' && file === basename(file) && file.endsWith('.safetensors');
  const wrong = entries.find(([, file]) => !isFileName(file));
  if (wrong !== undefined)
    throw new SafetensorsError('badEntry', path, `weight_map: expected names of .safetensors files beside the index, got ${JSON.stringify(wrong[1])}`);
  return new Map(entries as [string, string][]);
}
