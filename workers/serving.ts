/** @file What the serve command may do: answer chat completions with a policy, until it is told to stop. */
import { type NamedPolicy, namedPolicy } from '../activities/checkpoint/namedPolicy.ts';
import { Decoder } from '../activities/policy/decoding/decoder.ts';
import { ChatServer, type ChatServerOptions } from '../activities/serving/chatServer.ts';
import { openServedPolicy } from '../activities/serving/servedPolicy.ts';
import type { WeightPrecision } from '../core/model/quantisation.ts';
import { turnwiseHome } from './onDisk.ts';
import { useSettledProvider } from './provider.ts';

export interface Serving {
  readonly policy: NamedPolicy;
  readonly maxPositions: number;
  /** What clients write as base URL. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ServingOptions extends ChatServerOptions {
  /** Lines about a download from the hub. */
  readonly tell?: (line: string) => void;
}

/** How long answers that are being written may go on when the server ends. */
const graceMs = 10_000;

export async function startServing(subject: string, checkpoint: string | undefined, weights: WeightPrecision, options: ServingOptions): Promise<Serving> {
  const policy = await namedPolicy(turnwiseHome(), subject, checkpoint, options.tell);
  await useSettledProvider();
  const decoder = new Decoder();
  try {
    const served = await openServedPolicy(policy.name, { ...policy, weights }, decoder);
    const server = new ChatServer(served, options);
    const url = await server.listen();
    const close = async () => {
      await server.close(graceMs);
      await decoder.close();
    };
    return { policy, maxPositions: served.maxPositions, url, close };
  } catch (error) {
    await decoder.close();
    throw error;
  }
}
