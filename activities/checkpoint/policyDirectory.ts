/** @file A policy as a Hugging Face model directory: what `AutoModelForCausalLM.from_pretrained` loads, with its tokenizer. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelConfig, Tensor, Weights } from '../../core/model/config.ts';
import { modelConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { checkTensors, tensorShapes } from '../../core/model/tensorNames.ts';
import { writeDurably } from './durableFile.ts';
import { cardFileName, type PolicyFiles, weightsFileName } from './policyFiles.ts';
import { encodeSafetensors, readModelTensors } from './safetensors.ts';

export interface Policy {
  readonly config: ModelConfig;
  /** In the order of the model, float32. */
  readonly weights: Weights;
}

export interface PolicyContent {
  readonly weights: Weights;
  readonly files: PolicyFiles;
  /** The model card, Markdown. */
  readonly card: string;
}

/** @throws Error naming the file or tensor that is missing or does not fit the architecture of config.json. */
export async function readPolicyDirectory(directory: string): Promise<Policy> {
  const path = join(directory, 'config.json');
  const config = modelConfigOf(JSON.parse(await readFile(path, 'utf8')));
  const found = await readModelTensors(directory);
  const names = [...tensorShapes(config).keys()];
  // A tied model's lm_head is its embedding, and rotary frequencies follow from config.json: some files hold copies of them.
  const extra = [...found.keys()].filter((name) => !names.includes(name) && !isDerived(name, config));
  const ordered = [...names, ...extra].flatMap((name) => (found.has(name) ? [[name, found.get(name) as Tensor] as const] : []));
  const weights = new Map(ordered);
  try {
    checkTensors(config, weights);
  } catch (error) {
    throw new Error(`${directory}: ${(error as Error).message}`, { cause: error });
  }
  return { config, weights };
}

function isDerived(name: string, config: ModelConfig): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || (config.tieWordEmbeddings && name === 'lm_head.weight');
}

/** The directory's files by name, as pieces to be written one after another. */
export function policyPieces({ weights, files, card }: PolicyContent): ReadonlyMap<string, readonly Uint8Array[]> {
  const carried = [...files].map(([name, content]) => [name, [content]] as const);
  return new Map<string, readonly Uint8Array[]>([
    ...carried,
    [cardFileName, [Buffer.from(card)]],
    [weightsFileName, encodeSafetensors(weights, { format: 'pt' })],
  ]);
}

export async function writePolicyDirectory(directory: string, content: PolicyContent): Promise<void> {
  for (const [name, pieces] of policyPieces(content)) await writeDurably(join(directory, name), pieces);
}
