/** @file Real servers on loopback for the tests of serving, over policies whose sampled text varies, with OpenAI's own client. */
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll } from 'vitest';
import { writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { Decoder } from '../../activities/policy/decoding/decoder.ts';
import { ChatServer, type ChatServerOptions } from '../../activities/serving/chatServer.ts';
import { openServedPolicy, type ServedPolicy } from '../../activities/serving/servedPolicy.ts';
import { initialPolicy } from '../../activities/trainer/initialPolicy.ts';
import { embeddingName } from '../../core/model/tensorNames.ts';
import { loadRunConfig } from '../../workers/config/runConfig.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';

const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export interface TestServer {
  readonly policy: ServedPolicy;
  readonly server: ChatServer;
  readonly url: string;
  readonly client: OpenAI;
  /** How every call of the decoder ended, in the order of the calls. */
  readonly outcomes: Promise<'generated' | 'cancelled'>[];
}

export async function serve(directory: string, options: Partial<ChatServerOptions> = {}): Promise<TestServer> {
  const decoder = new Decoder();
  ends.push(() => decoder.close());
  const outcomes: TestServer['outcomes'] = [];
  const generate: Decoder['generate'] = (...call) => {
    const generation = decoder.generate(...call);
    outcomes.push(
      generation.then(
        () => 'generated',
        () => 'cancelled',
      ),
    );
    return generation;
  };
  const policy = await openServedPolicy('tested', { key: 'test '.repeat(5), path: directory }, { generate });
  outcomes.length = 0;
  const server = new ChatServer(policy, { host: '127.0.0.1', port: 0, ...options });
  const url = await server.listen();
  ends.push(() => server.close(0));
  return { policy, server, url, client: new OpenAI({ baseURL: url, apiKey: options.apiKey ?? 'none', maxRetries: 0 }), outcomes };
}

/** An untrained policy over bytes: its text is noise, with parts of characters and broken ones. */
export async function noisyPolicy(contextLength = 1024): Promise<string> {
  const config = loadRunConfig('examples/quickstart.yaml', ['policy.vocabulary=bytes', `policy.contextLength=${contextLength}`]);
  const { weights, files } = await initialPolicy(config);
  const embedding = weights.get(embeddingName) as { shape: readonly number[]; data: Float32Array };
  const flatter = new Map([...weights, [embeddingName, { ...embedding, data: embedding.data.map((value) => 0.3 * value) }]]);
  const directory = join(await temporaryDirectory('serving'), 'noisy');
  await writePolicyDirectory(directory, { weights: flatter, files, card: 'A policy of a test.\n' });
  return directory;
}
