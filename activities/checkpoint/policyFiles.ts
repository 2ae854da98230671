/** @file The files beside the weights in a Hugging Face model directory: they travel unchanged from checkpoint to checkpoint. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileError } from '../artifacts/diskFull.ts';

/** Content by file name. */
export type PolicyFiles = ReadonlyMap<string, Uint8Array>;

export const weightsFileName = 'model.safetensors';
export const cardFileName = 'README.md';

/** What other software looks for. The card is written anew with every checkpoint; weights are tensors, not files. */
export const carriedFileNames = [
  'config.json',
  'adapter_config.json',
  'base_model.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
  'chat_template.jinja',
] as const;

/** The carried files that the directory has. */
export async function readPolicyFiles(directory: string): Promise<PolicyFiles> {
  const files = new Map<string, Uint8Array>();
  for (const name of carriedFileNames) {
    const content = await readFile(join(directory, name)).catch((error: unknown) => {
      if (isFileError(error, 'ENOENT')) return undefined;
      throw error;
    });
    if (content !== undefined) files.set(name, content);
  }
  return files;
}

/** Weights are written as float32 whatever they were read from; `torch_dtype` is the name before transformers 5. */
export function declareFloat32(files: PolicyFiles): PolicyFiles {
  const config = files.get('config.json');
  if (config === undefined) throw new Error('declareFloat32: expected config.json among the policy files, found none');
  const { torch_dtype: _, ...rest } = JSON.parse(Buffer.from(config).toString('utf8'));
  return new Map([...files, ['config.json', jsonBytes({ ...rest, dtype: 'float32', torch_dtype: 'float32' })]]);
}

export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
