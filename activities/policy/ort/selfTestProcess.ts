/** @file The self-test of a provider, in a process of its own: `node selfTestProcess.ts webgpu`, forked; answers with one message. */
import type { ProviderName } from './provider.ts';
import { providerProblem } from './selfTest.ts';

export interface SelfTestResult {
  /** Null when the provider computes what it should. */
  readonly problem: string | null;
}

const problem = await providerProblem(process.argv[2] as ProviderName).catch((error: Error) => error.message);
process.send?.({ problem: problem ?? null } satisfies SelfTestResult, () => process.exit(0));
