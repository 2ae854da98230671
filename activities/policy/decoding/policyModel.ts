/** @file A policy version ready to generate: its sessions, with the weights packed into them. */
import { modelBytes } from '../../../core/graph/onnx.ts';
import type { ModelConfig, Weights } from '../../../core/model/config.ts';
import { decodeGraph, prefillGraph } from '../../../core/model/decodeGraph.ts';
import type { WeightPrecision } from '../../../core/model/quantisation.ts';
import { parameterCount } from '../../../core/model/tensorNames.ts';
import { readPolicyDirectory } from '../../checkpoint/policyDirectory.ts';
import { createSession, intraOpThreads, type Session } from '../ort/session.ts';

export interface PolicyModel {
  /** Names the weights: chunks of two policies with the same key are shared. */
  readonly key: string;
  readonly weights: WeightPrecision;
  readonly config: ModelConfig;
  readonly prefill: Session;
  readonly decode: Session;
  /** The same without contexts, for steps in which no row has one; null where another copy of the weights would be too much for what it saves. */
  readonly decodeWithoutContexts: Session | null;
  /** Rows of attention in a run at least: fewer, and a product of one row could be cut in two for threads without work, and add up otherwise. */
  readonly leastRows: number;
  release(): Promise<void>;
}

/** Loads a Hugging Face directory. */
export async function loadPolicyModel(key: string, directory: string, precision: WeightPrecision = 'float32'): Promise<PolicyModel> {
  const { config, weights } = await readPolicyDirectory(directory);
  return createPolicyModel(key, config, weights, precision);
}

export async function createPolicyModel(key: string, config: ModelConfig, weights: Weights, precision: WeightPrecision = 'float32'): Promise<PolicyModel> {
  const threads = threadsFor(config);
  const options = {
    threads,
    // Every number of rows and slots is a shape of its own: planning memory for each costs more than it gives.
    memoryPattern: false,
    // Long enough from one operator to the next; a thread that spins on takes the core from sandboxes and workflows, and then from its own partner.
    spinMicroseconds: 20,
  };
  const prefill = await createSession(modelBytes(prefillGraph(config, weights, precision)), options);
  const decode = await createSession(modelBytes(decodeGraph(config, weights, precision)), options);
  const isSmall = Float32Array.BYTES_PER_ELEMENT * parameterCount(config) <= mostCopiedBytes;
  const decodeWithoutContexts = isSmall ? await createSession(modelBytes(decodeGraph(config, weights, precision, false)), options) : null;
  const sessions = { prefill, decode, decodeWithoutContexts };
  const release = async () => {
    for (const session of Object.values(sessions)) await session?.release();
  };
  return { key, weights: precision, config, ...sessions, leastRows: Math.ceil(threads / config.kvHeadCount), release };
}

/** Of float32 weights: what operators cost beside the work they do, and so what leaving some out saves, hardly shows in larger models. */
const mostCopiedBytes = 128 * 2 ** 20;

/** Multiply-adds of one token in one layer below which a second thread costs more than it gives. */
const smallLayer = 500_000;

/** There are never fewer rows than threads for each key head: more would have a lone row pay for dummies. */
const threadsPerKeyHead = 4;

/** By the model's shape alone: results depend on the number of threads in the last bits. */
function threadsFor({ hiddenSize, intermediateSize, kvHeadCount }: ModelConfig): number {
  if (hiddenSize * (3 * intermediateSize + 2 * hiddenSize) < smallLayer) return 1;
  return Math.min(intraOpThreads(), threadsPerKeyHead * kvHeadCount);
}
