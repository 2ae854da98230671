/** @file A policy as a Hugging Face model directory: what `AutoModelForCausalLM.from_pretrained` loads, with its tokenizer. */
import { join } from 'node:path';
import type { ModelConfig, Weights } from '../../core/model/config.ts';
import { writeDurably } from './durableFile.ts';
import { openModelDirectory, readModelWeights } from './modelDirectory.ts';
import { cardFileName, type PolicyFiles, weightsFileName } from './policyFiles.ts';
import { encodeSafetensors } from './safetensors.ts';

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

/** @throws as openModelDirectory. */
export async function readPolicyDirectory(directory: string): Promise<Policy> {
  const model = await openModelDirectory(directory);
  return { config: model.config, weights: await readModelWeights(model) };
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
