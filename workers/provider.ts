/** @file The execution provider of a process that computes: settled before the first session, and said where it is not the CPU. */
import { useProvider } from '../activities/policy/ort/provider.ts';
import { settleProvider, wantedProvider } from '../activities/policy/ort/providers.ts';

export { settleProvider, wantedProvider };

/** @throws Error with the reason when the wanted provider cannot be used. */
export async function useSettledProvider(): Promise<void> {
  const { provider, refused } = await settleProvider(wantedProvider());
  if (provider !== 'cpu' || refused.length > 0) process.stderr.write(`${[`computing with provider ${provider}`, ...refused].join('; not ')}\n`);
  useProvider(provider);
}
