/** @file The worker thread of embedding: opens each model once and embeds one request after another. */
import { parentPort } from 'node:worker_threads';
import { type Embedder, openEmbedder } from './embedder.ts';

export interface EmbeddingRequest {
  readonly id: number;
  readonly directory: string;
  readonly texts: readonly string[];
}

export type EmbeddingAnswer =
  | { readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } };

const opened = new Map<string, Promise<Embedder>>();
let queue: Promise<void> = Promise.resolve();

parentPort?.on('message', (request: EmbeddingRequest) => {
  queue = queue.then(async () => parentPort?.postMessage(await answerTo(request)));
});

async function answerTo({ id, directory, texts }: EmbeddingRequest): Promise<EmbeddingAnswer> {
  try {
    const embedder = await embedderAt(directory);
    return { id, vectors: await embedder.embed(texts) };
  } catch (error) {
    const { name, message } = error as Error; // structured cloning would drop the name
    return { id, error: { name, message } };
  }
}

function embedderAt(directory: string): Promise<Embedder> {
  const known = opened.get(directory);
  if (known !== undefined) return known;
  const opening = openEmbedder(directory);
  opened.set(directory, opening);
  // A failure is not remembered: the directory may be mended.
  opening.catch(() => opened.delete(directory));
  return opening;
}
