/**
 * @file A sentence or code embedder in a Hugging Face directory: tokenizer.json and onnx/model.onnx, as `optimum-cli export onnx` and the
 * sentence-transformers models on the Hub have them. Texts are embedded one by one on one thread, so that a vector does not depend on its neighbours.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { createSession, type Feed, type FeedArray, type Session } from '../policy/ort/session.ts';
import { ConfigError } from '../trainer/configError.ts';

export interface Embedder {
  /** One vector a text, all of one length; a blank text has none, and its vector is empty. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]>;
  release(): Promise<void>;
}

/** @throws ConfigError naming the file, what was expected of it and what it holds. */
export async function openEmbedder(directory: string): Promise<Embedder> {
  const encode = await openTokenizer(directory);
  const file = join(directory, 'onnx', 'model.onnx');
  const session = await createSession(await required(file), { threads: 1, externalDataFolder: join(directory, 'onnx') }).catch((error: Error) => {
    throw new ConfigError(`${file}: expected an ONNX model, got one that does not load: ${error.message}`, { cause: error });
  });
  try {
    checkInputs(session, file);
    checkOutputs(session, file);
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    embed: async (texts) => {
      const vectors: Float32Array[] = [];
      for (const text of texts) vectors.push(text.trim() === '' ? new Float32Array() : await vectorOf(session, encode(text), file));
      return vectors;
    },
    release: () => session.release(),
  };
}

type Encode = (text: string) => readonly number[];

async function openTokenizer(directory: string): Promise<Encode> {
  const file = join(directory, 'tokenizer.json');
  const tokenizer = jsonOf(await required(file), file);
  const settings = jsonOf(await optional(join(directory, 'tokenizer_config.json')), join(directory, 'tokenizer_config.json'));
  const model = jsonOf(await optional(join(directory, 'config.json')), join(directory, 'config.json'));
  const unknown = (tokenizer['model'] as { readonly unk_token?: unknown } | undefined)?.unk_token;
  const longest = longestInput([
    (tokenizer['truncation'] as { max_length?: unknown } | null)?.max_length,
    settings['model_max_length'],
    model['max_position_embeddings'],
  ]);
  try {
    const library = new Tokenizer(tokenizer, { unk_token: unknown, ...settings });
    return (text) => shortened(library.encode(text).ids, longest);
  } catch (error) {
    throw new ConfigError(`${file}: expected a Hugging Face tokenizer, got one that does not load: ${(error as Error).message}`, { cause: error });
  }
}

/** The smallest limit that any of the files names; files without a limit write huge numbers. */
function longestInput(limits: readonly unknown[]): number {
  return Math.min(...limits.map((limit) => (typeof limit === 'number' && limit > 0 ? limit : Number.POSITIVE_INFINITY)));
}

/** The last token of an encoding closes it in models that have such a token: it is kept. */
function shortened(ids: readonly number[], longest: number): readonly number[] {
  return ids.length <= longest ? ids : [...ids.slice(0, longest - 1), ids.at(-1) as number];
}

/** What is fed, by the name of the input: one text needs no padding, so every token is attended to and of the first segment. */
const inputValues: Readonly<Record<string, (ids: readonly number[]) => BigInt64Array>> = {
  input_ids: (ids) => BigInt64Array.from(ids, (id) => BigInt(id)),
  attention_mask: (ids) => BigInt64Array.from(ids, () => 1n),
  token_type_ids: (ids) => BigInt64Array.from(ids, () => 0n),
};

function checkInputs({ inputNames }: Session, file: string): void {
  if (inputNames.includes('input_ids') && inputNames.every((name) => Object.hasOwn(inputValues, name))) return;
  throw new ConfigError(
    `${file}: expected the inputs input_ids, attention_mask and perhaps token_type_ids, got ${inputNames.join(', ')}; export the encoder alone`,
  );
}

function checkOutputs({ outputNames }: Session, file: string): void {
  if (outputNames.includes('sentence_embedding') || outputNames.includes('last_hidden_state')) return;
  throw new ConfigError(`${file}: expected an output sentence_embedding or last_hidden_state, got ${outputNames.join(', ')}; export for feature extraction`);
}

async function vectorOf(session: Session, ids: readonly number[], file: string): Promise<Float32Array> {
  if (ids.length === 0) return new Float32Array();
  const feeds = session.inputNames.map((name): [string, Feed] => [name, { data: inputValues[name]?.(ids) as BigInt64Array, shape: [1, ids.length] }]);
  const name = session.outputNames.includes('sentence_embedding') ? 'sentence_embedding' : 'last_hidden_state';
  const output = (await session.run(Object.fromEntries(feeds), [name]))[name];
  if (!isFloat32(output)) throw new ConfigError(`${file}: expected ${name} as float32, got ${output?.constructor.name ?? 'nothing'}; export the model in fp32`);
  return name === 'sentence_embedding' ? output : meanOverTokens(output, ids.length);
}

function isFloat32(data: FeedArray | undefined): data is Float32Array {
  return data instanceof Float32Array;
}

/** The mask is all ones, so the masked mean is the mean. */
function meanOverTokens(states: Float32Array, tokens: number): Float32Array {
  const width = states.length / tokens;
  const sums = new Float64Array(width);
  states.forEach((value, i) => {
    sums[i % width] = (sums[i % width] as number) + value;
  });
  return Float32Array.from(sums, (sum) => sum / tokens);
}

async function required(file: string): Promise<Buffer> {
  const bytes = await optional(file);
  if (bytes === undefined) throw new ConfigError(`${file}: expected a file of the embedding model (credit.embeddingModel), found none`);
  return bytes;
}

async function optional(file: string): Promise<Buffer | undefined> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

function jsonOf(bytes: Buffer | undefined, file: string): Readonly<Record<string, unknown>> {
  try {
    return bytes === undefined ? {} : (JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>);
  } catch (error) {
    throw new ConfigError(`${file}: expected JSON, got ${(error as Error).message}`, { cause: error });
  }
}
