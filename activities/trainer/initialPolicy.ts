/** @file The policy that a run begins with: built from a preset and the seed, or read from a Hugging Face directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { presetConfig } from '../../core/model/presets.ts';
import type { RunConfig } from '../../core/run/config.ts';
import { type Policy, readPolicyDirectory } from '../checkpoint/policyDirectory.ts';
import { declareFloat32, jsonBytes, type PolicyFiles, readPolicyFiles } from '../checkpoint/policyFiles.ts';
import { buildTokenizer, type TokenizerFiles } from '../policy/tokenizer/builtTokenizers.ts';
import { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import { ConfigError } from './configError.ts';

export interface InitialPolicy extends Policy {
  readonly files: PolicyFiles;
}

export async function initialPolicy({ policy, seed }: RunConfig): Promise<InitialPolicy> {
  return policy.path === null ? builtPolicy(policy, seed) : existingPolicy(policy.path, policy.contextLength);
}

function builtPolicy({ preset, vocabulary, contextLength }: RunConfig['policy'], seed: number): InitialPolicy {
  const tokenizer = buildTokenizer(vocabulary);
  const { size, endOfTurn, padding } = vocabularyOf(tokenizer);
  const config = presetConfig(preset, size, contextLength);
  const files = new Map<string, Uint8Array>([
    ['config.json', jsonBytes(huggingFaceConfigOf(config, { endOfTurn, padding }))],
    ['generation_config.json', jsonBytes({ do_sample: true, eos_token_id: endOfTurn, pad_token_id: padding })],
    ...Object.entries(tokenizer).map(([name, text]) => [name, Buffer.from(text)] as const),
  ]);
  return { config, weights: initialWeights(config, seed), files };
}

function vocabularyOf(files: TokenizerFiles): { size: number; endOfTurn: number; padding: number } {
  const ids = JSON.parse(files['tokenizer.json']).model.vocab as Record<string, number>;
  const names = JSON.parse(files['special_tokens_map.json']) as { eos_token: string; pad_token: string };
  return { size: Object.keys(ids).length, endOfTurn: ids[names.eos_token] as number, padding: ids[names.pad_token] as number };
}

/** @throws ConfigError when the directory is no policy that turnwise can train. */
async function existingPolicy(path: string, contextLength: number): Promise<InitialPolicy> {
  try {
    const tokenizer = await PolicyTokenizer.load(path);
    const policy = await readPolicyDirectory(path);
    const { vocabSize, maxPositions } = policy.config;
    if (tokenizer.vocabSize > vocabSize)
      throw new Error(`${path}: expected token ids below the model's vocab_size ${vocabSize}, the tokenizer has ${tokenizer.vocabSize}`);
    if (contextLength > maxPositions)
      throw new Error(`policy.contextLength: expected at most the model's max_position_embeddings ${maxPositions}, got ${contextLength}`);
    const files = declareFloat32(await readPolicyFiles(path));
    return { ...policy, files: await withChatTemplate(files, path) };
  } catch (error) {
    throw new ConfigError(`policy.path: ${(error as Error).message}`, { cause: error });
  }
}

/** Checkpoints always carry the template as a file; older directories have it inside tokenizer_config.json. */
async function withChatTemplate(files: PolicyFiles, path: string): Promise<PolicyFiles> {
  if (files.has('chat_template.jinja')) return files;
  const { chat_template: template } = JSON.parse(await readFile(join(path, 'tokenizer_config.json'), 'utf8'));
  return typeof template === 'string' ? new Map([...files, ['chat_template.jinja', Buffer.from(template)]]) : files;
}
