/**
 * @file Which of ONNX Runtime's execution providers computes: TURNWISE_PROVIDER, because it belongs to the machine and not to the run. Another
 * provider than `cpu` is taken only after it has computed a small model's gradients as the CPU does.
 */
import { fork } from 'node:child_process';
import { listSupportedBackends } from 'onnxruntime-node';
import { type ProviderName, providerNames } from './provider.ts';
import type { SelfTestResult } from './selfTestProcess.ts';

export interface SettledProvider {
  readonly provider: ProviderName;
  /** Of `auto`: why others were not taken. */
  readonly refused: readonly string[];
}

export type WantedProvider = ProviderName | 'auto';

/** TURNWISE_PROVIDER, else `cpu`. */
export function wantedProvider(environment: NodeJS.ProcessEnv = process.env): WantedProvider {
  const text = environment['TURNWISE_PROVIDER'] || 'cpu';
  const found = [...providerNames, 'auto' as const].find((name) => name === text);
  if (found === undefined) throw new Error(`TURNWISE_PROVIDER: expected ${providerNames.join(', ')} or auto, got "${text}"`);
  return found;
}

/** @throws Error with the reason when a provider that was asked for by name cannot be used; `auto` falls back to `cpu`. */
export async function settleProvider(wanted: WantedProvider): Promise<SettledProvider> {
  if (wanted === 'cpu') return { provider: 'cpu', refused: [] };
  const refused: string[] = [];
  for (const provider of wanted === 'auto' ? (['cuda', 'webgpu'] as const) : [wanted]) {
    const problem = await problemOf(provider);
    if (problem === undefined) return { provider, refused };
    refused.push(`${provider}: ${problem}`);
  }
  if (wanted === 'auto') return { provider: 'cpu', refused };
  throw new Error(`TURNWISE_PROVIDER=${wanted} cannot be used: ${refused.join('; ')}; TURNWISE_PROVIDER=cpu computes on the processor`);
}

/** Undefined when the provider computes what it should. */
async function problemOf(provider: ProviderName): Promise<string | undefined> {
  if (!listSupportedBackends().some(({ name }) => name === provider)) return `onnxruntime-node has no provider ${provider} on this platform`;
  const problem = await selfTest(provider);
  return problem === undefined ? undefined : `${problem.trim().replace(/\s+/g, ' ')}${remedyOf(provider, problem)}`;
}

/** What to do, by what ONNX Runtime says. */
export function remedyOf(provider: ProviderName, problem: string): string {
  if (provider === 'cuda' && /shared library|libonnxruntime_providers/i.test(problem)) {
    return (
      '. The CUDA provider is not part of the npm package: run `npm rebuild onnxruntime-node` without ONNXRUNTIME_NODE_INSTALL=skip, or take ' +
      'libonnxruntime_providers_cuda.so and libonnxruntime_providers_shared.so of the same version out of the PyPI wheel onnxruntime-gpu (docs/providers.md)'
    );
  }
  if (provider === 'webgpu' && /adapter|vulkan/i.test(problem)) return '. WebGPU found no graphics adapter: install a Vulkan driver (docs/providers.md)';
  return '';
}

const limitMs = 180_000;

/** In a process of its own: a provider that does not fit its machine may end the process it is in. */
function selfTest(provider: ProviderName): Promise<string | undefined> {
  const child = fork(new URL('./selfTestProcess.ts', import.meta.url), [provider], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], timeout: limitMs });
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  return new Promise((resolve) => {
    let result: SelfTestResult | undefined;
    child.once('message', (message) => {
      result = message as SelfTestResult;
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      if (result !== undefined) resolve(result.problem ?? undefined);
      else resolve(`its self-test ended with ${signal ?? `exit code ${code}`}${errors ? `: ${errors.trim().split('\n').at(-1)}` : ''}`);
    });
  });
}
