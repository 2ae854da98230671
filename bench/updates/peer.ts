/** @file The peer's side of a measured update: PyTorch, with PEFT for adapters, in the Python that TURNWISE_PYTHON names. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { intraOpThreads } from '../../activities/policy/ort/session.ts';
import { allocatorSettings } from '../../workers/supervisor/workerProcess.ts';
import { configs, learningRate, lora, type UpdateCase } from './cases.ts';

export interface PeerUpdates {
  readonly seconds: readonly number[];
  readonly peakBytes: number;
}

/** `own`: what a user of PyTorch has. `ours`: the allocator settings of our workers, which help PyTorch as well. */
export type PeerEnvironment = 'own' | 'ours';

/** Why there is no peer to compare with, or the empty string. */
export function peerMissing(): string {
  const python = process.env['TURNWISE_PYTHON'];
  if (!python) return 'set TURNWISE_PYTHON to a Python with torch, transformers and peft';
  return existsSync(python) ? '' : `TURNWISE_PYTHON: no file ${python}`;
}

export async function peerUpdates(measured: UpdateCase, environment: PeerEnvironment): Promise<PeerUpdates> {
  const env = { ...process.env, OMP_NUM_THREADS: String(intraOpThreads()), ...(environment === 'ours' ? allocatorSettings : {}) };
  const { stdout } = await promisify(execFile)(process.env['TURNWISE_PYTHON'] as string, scriptOf(measured), { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as PeerUpdates;
}

function scriptOf(measured: UpdateCase): string[] {
  const script = (name: string) => join(import.meta.dirname, '..', name);
  const { shape, rows, promptTokens, trainedTokens, adapter, steps } = measured;
  if (!adapter && promptTokens === 0) return [script('peer_torch.py'), shape, String(steps), String(learningRate)];
  const { vocabSize, hiddenSize, layerCount, headCount, kvHeadCount, intermediateSize, ropeTheta } = configs[shape];
  const model = {
    vocab_size: vocabSize,
    hidden_size: hiddenSize,
    num_hidden_layers: layerCount,
    num_attention_heads: headCount,
    num_key_value_heads: kvHeadCount,
    intermediate_size: intermediateSize,
    rope_parameters: { rope_type: 'default', rope_theta: ropeTheta },
  };
  const adapted = adapter ? { r: lora.rank, lora_alpha: lora.alpha, target_modules: lora.targetModules } : null;
  return [script('peer_lora.py'), JSON.stringify({ model, rows, promptTokens, trainedTokens, lora: adapted, steps, learningRate })];
}
