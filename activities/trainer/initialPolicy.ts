/** @file The policy that a run begins with: built from a preset and the seed, or read from a Hugging Face directory. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adapterConfigOf, adapterDescriptionOf } from '../../core/model/adapterConfig.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { isHubName, isPinned, parseHubName } from '../../core/model/hubName.ts';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { initialWeights } from '../../core/model/initialWeights.ts';
import { initialAdapter, type LoraConfig } from '../../core/model/lora.ts';
import { memoryProblem } from '../../core/model/memory.ts';
import { presetConfig } from '../../core/model/presets.ts';
import type { RunConfig } from '../../core/run/config.ts';
import {
  type Adapter,
  adapterConfigFileName,
  baseDirectoryOf,
  isAdapterDirectory,
  movingBaseOf,
  readAdapterDirectory,
  tokenizerDirectoryOf,
} from '../checkpoint/adapterDirectory.ts';
import { baseModelFileName, describeBaseModel } from '../checkpoint/baseModel.ts';
import { openModelDirectory, readModelWeights } from '../checkpoint/modelDirectory.ts';
import { readJsonFile } from '../checkpoint/modelFile.ts';
import { modelDirectoryOf } from '../checkpoint/modelSource.ts';
import { type Policy, readPolicyConfig } from '../checkpoint/policyDirectory.ts';
import { declareFloat32, jsonBytes, type PolicyFiles, readPolicyFiles } from '../checkpoint/policyFiles.ts';
import { buildTokenizer, type TokenizerFiles } from '../policy/tokenizer/builtTokenizers.ts';
import { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import { ConfigError } from './configError.ts';
import { refuseConfig } from './failures.ts';
import { memoryBytes } from './machineMemory.ts';
import { positionsProblem } from './positions.ts';

export interface InitialPolicy extends Policy {
  readonly files: PolicyFiles;
}

export async function initialPolicy({ policy, seed }: RunConfig): Promise<InitialPolicy> {
  if (policy.path === null) return builtPolicy(policy, seed);
  if (isHubName(policy.path) && !isPinned(parseHubName(policy.path)))
    throw new ConfigError(`policy.path: expected ${policy.path} with the commit of its revision behind an @; \`npm run train\` writes it`);
  // Outside of what is refused for good: the network may come back.
  const path = await modelDirectoryOf(policy.path);
  const movingBase = policy.base === undefined ? await movingBaseOf(path).catch((error) => refuseConfig(error, 'policy.path')) : undefined;
  if (movingBase !== undefined) throw new ConfigError(`policy.base: expected the commit of the adapter's base ${movingBase}; \`npm run train\` writes it`);
  return existingPolicy({ name: policy.path, path }, policy, seed);
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

type Settings = Pick<RunConfig['policy'], 'contextLength' | 'lora' | 'base' | 'recomputeActivations'>;

interface Source {
  /** As the configuration has it. */
  readonly name: string;
  /** Where it is on this machine. */
  readonly path: string;
}

/** @throws ConfigError when the directory is no policy that turnwise can train; what may pass (an adapter's base comes from the network too) as it is. */
async function existingPolicy({ name, path }: Source, settings: Settings, seed: number): Promise<InitialPolicy> {
  try {
    const { config, lora } = await readPolicyConfigOf({ ...settings, path });
    const problem = memoryProblem(config, lora, settings.contextLength, memoryBytes(), settings.recomputeActivations);
    if (problem !== undefined) throw new Error(`${path}: ${problem}`);
    const policy = await policyAt({ name, path }, settings, seed);
    const tokenizer = await PolicyTokenizer.load(policy.tokenizerPath);
    checkFits(path, policy.config, tokenizer.vocabSize, settings.contextLength);
    return policy;
  } catch (error) {
    return refuseConfig(error, 'policy.path');
  }
}

/** The tokenizer that a run will have, before there is a checkpoint to read it from. */
export async function initialTokenizer({ path, vocabulary, base }: RunConfig['policy']): Promise<PolicyTokenizer> {
  if (path === null) return PolicyTokenizer.of(buildTokenizer(vocabulary));
  return PolicyTokenizer.load(await tokenizerDirectoryOf(await modelDirectoryOf(path), base));
}

type NamedModel = Pick<RunConfig['policy'], 'lora' | 'base'> & { readonly path: string };

/** Architecture and adapter of what `policy.path` names, without reading a tensor. */
export async function readPolicyConfigOf(policy: NamedModel): Promise<{ config: ModelConfig; lora: LoraConfig | null }> {
  const path = await modelDirectoryOf(policy.path);
  if (!(await isAdapterDirectory(path))) return { config: await readPolicyConfig(path), lora: policy.lora ?? null };
  const described = adapterDescriptionOf(await readJsonFile(path, adapterConfigFileName));
  return { config: await readPolicyConfig(await baseDirectoryOf(path, policy.base)), lora: described.lora };
}

function checkFits(path: string, config: ModelConfig, tokenCount: number, contextLength: number): void {
  if (tokenCount > config.vocabSize)
    throw new Error(`${path}: expected token ids below the model's vocab_size ${config.vocabSize}, the tokenizer has ${tokenCount}`);
  const problem = positionsProblem(config, contextLength);
  if (problem !== undefined) throw new Error(problem);
}

/** A model to be trained whole, a new adapter on it, or an adapter to be trained further. */
async function policyAt(
  { name, path }: Source,
  { lora = null, base: pinnedBase }: Settings,
  seed: number,
): Promise<InitialPolicy & { readonly tokenizerPath: string }> {
  if (await isAdapterDirectory(path)) {
    const adapter = await readAdapterDirectory(path, pinnedBase);
    const tokenizerPath = existsSync(join(path, 'tokenizer.json')) ? path : adapter.model.directory;
    return { config: adapter.model.config, weights: adapter.weights, files: await adapterFiles(adapter, tokenizerPath), tokenizerPath };
  }
  const opened = await openModelDirectory(path);
  const { config } = opened;
  if (lora === null) {
    const files = await withChatTemplate(declareFloat32(await readPolicyFiles(path)), path);
    return { config, weights: await readModelWeights(opened), files, tokenizerPath: path };
  }
  const base = await describeBaseModel(name, opened);
  return { config, weights: initialAdapter(config, lora, seed), files: await adapterFiles({ lora, base }, path), tokenizerPath: path };
}

/** config.json stays with the base: beside an adapter, other software would look for a whole model. */
async function adapterFiles({ lora, base }: Pick<Adapter, 'lora' | 'base'>, tokenizerPath: string): Promise<PolicyFiles> {
  const files = new Map(await withChatTemplate(await readPolicyFiles(tokenizerPath), tokenizerPath));
  files.delete('config.json');
  files.set(adapterConfigFileName, jsonBytes(adapterConfigOf({ lora, base: base.model })));
  files.set(baseModelFileName, jsonBytes(base));
  return files;
}

/** Checkpoints always carry the template as a file; older directories have it inside tokenizer_config.json. */
async function withChatTemplate(files: PolicyFiles, path: string): Promise<PolicyFiles> {
  if (files.has('chat_template.jinja')) return files;
  const { chat_template: template } = JSON.parse(await readFile(join(path, 'tokenizer_config.json'), 'utf8'));
  return typeof template === 'string' ? new Map([...files, ['chat_template.jinja', Buffer.from(template)]]) : files;
}
