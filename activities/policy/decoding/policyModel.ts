/** @file A policy version ready to generate: its two sessions, with the weights packed into them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelBytes } from '../../../core/graph/onnx.ts';
import type { ModelConfig, Weights } from '../../../core/model/config.ts';
import { decodeGraph, prefillGraph } from '../../../core/model/decodeGraph.ts';
import { modelConfigOf } from '../../../core/model/huggingFaceConfig.ts';
import { checkTensors } from '../../../core/model/tensorNames.ts';
import { readModelTensors } from '../../checkpoint/safetensors.ts';
import { createSession, type Session } from '../ort/session.ts';

export interface PolicyModel {
  /** Names the weights: chunks of two policies with the same key are shared. */
  readonly key: string;
  readonly config: ModelConfig;
  readonly prefill: Session;
  readonly decode: Session;
  release(): Promise<void>;
}

/** Loads a Hugging Face directory. */
export async function loadPolicyModel(key: string, directory: string): Promise<PolicyModel> {
  const config = modelConfigOf(JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')));
  return createPolicyModel(key, config, await readModelTensors(directory));
}

export async function createPolicyModel(key: string, config: ModelConfig, weights: Weights): Promise<PolicyModel> {
  checkTensors(config, weights);
  // Every number of rows and slots is a shape of its own: planning memory for each costs more than it gives.
  const options = { memoryPattern: false };
  const prefill = await createSession(modelBytes(prefillGraph(config, weights)), options);
  const decode = await createSession(modelBytes(decodeGraph(config, weights)), options);
  const release = async () => {
    await prefill.release();
    await decode.release();
  };
  return { key, config, prefill, decode, release };
}
