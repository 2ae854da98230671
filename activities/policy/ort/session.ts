/** @file ONNX Runtime behind a small typed surface: model bytes in, typed arrays in and out. Runs block the calling thread. */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { type ProviderName, providerInUse } from './provider.ts';

export type FeedArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface Feed {
  readonly data: FeedArray;
  readonly shape: readonly number[];
  /** Told by the array, except that Uint8Array may also be `bool`. */
  readonly dtype?: 'bool';
}

export interface SessionOptions {
  /** Threads inside one operator; default TURNWISE_THREADS, else the available cores. Results depend on it in the last bits. */
  readonly threads?: number;
  /** `basic` for float64 graphs: later fusions have no double kernels. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /** Plan all activations as one block: faster, but some 40 % more memory. Default true. */
  readonly memoryPattern?: boolean;
  /** Keep what a run has freed for the next run of this session, instead of leaving it to malloc. Default true. */
  readonly arena?: boolean;
  /** Whether idle threads of ONNX Runtime spin for a while before they sleep. Default true. */
  readonly spinning?: boolean;
  /** How long they spin at most. Default: ONNX Runtime's own, which outlasts the pauses between runs. */
  readonly spinMicroseconds?: number;
  /** Keep a copy of constant weights in the order that the kernels read: faster for few rows. Default true. */
  readonly prepacking?: boolean;
  /** Folder that holds files named by external initializers. */
  readonly externalDataFolder?: string;
  readonly profilePrefix?: string;
  /** Default: the one that this process has settled, else `cpu`. */
  readonly provider?: ProviderName;
}

/** A prepared session. Outputs are fresh arrays of the caller's own. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** `outputs` limits what is copied out, not what is computed; default all. */
  run(feeds: Readonly<Record<string, Feed>>, outputs?: readonly string[]): Promise<Readonly<Record<string, FeedArray>>>;
  release(): Promise<void>;
  /** Writes the profile; only with `profilePrefix`. */
  endProfiling(): void;
}

/** TURNWISE_THREADS, else the available cores. */
export function intraOpThreads(environment: NodeJS.ProcessEnv = process.env): number {
  const text = environment['TURNWISE_THREADS'];
  if (text === undefined || text === '') return availableParallelism();
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`TURNWISE_THREADS: expected a whole number from 1 on, got "${text}"`);
  return threads;
}

export async function createSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const session = await ort.InferenceSession.create(model, ortOptions(options));
  const run = async (feeds: Readonly<Record<string, Feed>>, outputs?: readonly string[]) => {
    const tensors: Record<string, ort.Tensor> = {};
    for (const [name, feed] of Object.entries(feeds)) tensors[name] = tensorOf(name, feed);
    const results = await (outputs ? session.run(tensors, outputs) : session.run(tensors));
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as FeedArray]));
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run,
    release: () => session.release(),
    endProfiling: () => session.endProfiling(),
  };
}

function ortOptions(options: SessionOptions): ort.InferenceSession.SessionOptions {
  const entries: Record<string, unknown> = {
    intra_op: {
      allow_spinning: options.spinning === false ? '0' : '1',
      ...(options.spinMicroseconds === undefined ? {} : { spin_duration_us: String(options.spinMicroseconds) }),
    },
    ...(options.prepacking === false ? { disable_prepacking: '1' } : {}),
    ...(options.externalDataFolder ? { model_external_initializers_file_folder_path: options.externalDataFolder } : {}),
  };
  return {
    executionProviders: [options.provider ?? providerInUse()],
    logSeverityLevel: 3,
    intraOpNumThreads: options.threads ?? intraOpThreads(),
    graphOptimizationLevel: options.optimization ?? 'all',
    enableMemPattern: options.memoryPattern ?? true,
    enableCpuMemArena: options.arena ?? true,
    extra: { session: entries },
    ...(options.profilePrefix ? { enableProfiling: true, profileFilePrefix: options.profilePrefix } : {}),
  };
}

function tensorOf(name: string, { data, shape, dtype }: Feed): ort.Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (size !== data.length) throw new Error(`input ${name}: expected ${size} elements for shape [${shape}], got ${data.length}`);
  if (dtype === 'bool') return new ort.Tensor('bool', data as Uint8Array, shape);
  if (data instanceof Float32Array) return new ort.Tensor('float32', data, shape);
  if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape);
  if (data instanceof Int32Array) return new ort.Tensor('int32', data, shape);
  if (data instanceof Float64Array) return new ort.Tensor('float64', data, shape);
  return new ort.Tensor('uint8', data, shape);
}
