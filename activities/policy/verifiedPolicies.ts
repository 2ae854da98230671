/**
 * @file Policies by reference: a checkpoint's policy is verified once before anything is generated from it. Every step of training makes a new
 * one, nearly always with the same tokenizer files: what they make is kept by their hashes.
 */
import { basename, join } from 'node:path';
import type { PolicyRef } from '../../core/rollout/types.ts';
import { runPaths } from '../artifacts/paths.ts';
import { type ManifestFiles, verifyPolicyFiles } from '../checkpoint/manifest.ts';
import { readPolicyConfig } from '../checkpoint/policyDirectory.ts';
import type { PolicyDirectory } from './decoding/messages.ts';
import { tokenizerFileNames } from './tokenizer/directory.ts';
import { PolicyTokenizer } from './tokenizer/policyTokenizer.ts';

export interface VerifiedPolicy {
  readonly directory: PolicyDirectory;
  readonly tokenizer: PolicyTokenizer;
  readonly maxPositions: number;
}

/** @throws CheckpointError when the checkpoint is missing, torn, tampered with, or another than the reference names. */
export type LoadVerifiedPolicy = (run: string, policy: PolicyRef) => Promise<VerifiedPolicy>;

/** Remembers the last few: a step uses one version, an evaluation beside it another. */
export function verifiedPolicies(home: string, remembered = 4): LoadVerifiedPolicy {
  const loaded = new Map<string, Promise<VerifiedPolicy>>();
  const tokenizers: Tokenizers = new Map();
  return (run, policy) => {
    const key = `${run} ${policy.checkpoint} ${policy.manifestSha256}`;
    const loading = loaded.get(key) ?? load(home, tokenizers, run, policy);
    loaded.delete(key);
    loaded.set(key, loading);
    // A failure is not remembered: the file system may be mended.
    loading.catch(() => loaded.delete(key));
    for (const oldest of loaded.keys()) if (loaded.size > remembered) loaded.delete(oldest);
    return loading;
  };
}

type Tokenizers = Map<string, Promise<PolicyTokenizer>>;

async function load(home: string, tokenizers: Tokenizers, run: string, policy: PolicyRef): Promise<VerifiedPolicy> {
  const checkpoint = join(runPaths(home, run).checkpoints, basename(policy.checkpoint));
  const files = await verifyPolicyFiles(checkpoint, policy.manifestSha256);
  const path = join(checkpoint, 'policy');
  const { maxPositions } = await readPolicyConfig(path);
  return { directory: { key: policy.manifestSha256, path }, tokenizer: await tokenizerOf(path, files, tokenizers), maxPositions };
}

function tokenizerOf(path: string, files: ManifestFiles, tokenizers: Tokenizers): Promise<PolicyTokenizer> {
  const key = tokenizerFileNames.map((name) => files[`policy/${name}`]?.sha256).join();
  const loading = tokenizers.get(key) ?? PolicyTokenizer.load(path);
  tokenizers.set(key, loading);
  loading.catch(() => tokenizers.delete(key));
  return loading;
}
