/** @file The tokenizer files of a Hugging Face directory, read and checked once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const addedToken = z.looseObject({
  id: z.number().int().nonnegative(),
  content: z.string().min(1),
  special: z.boolean(),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
});

const tokenizerJson = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  model: z.looseObject({
    unk_token: z.string().nullish(),
    merges: z.array(z.unknown()).optional(),
    vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

/** A token is named by its text, or by the object that older files write. */
const tokenText = z
  .union([z.string(), z.looseObject({ content: z.string() })])
  .nullish()
  .transform((token) => (typeof token === 'string' ? token : token?.content));

const tokenizerConfig = z.looseObject({
  bos_token: tokenText,
  eos_token: tokenText,
  pad_token: tokenText,
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
});

const generationConfig = z.looseObject({
  eos_token_id: z
    .union([z.number().int(), z.array(z.number().int())])
    .nullish()
    .transform((ids) => (ids === null || ids === undefined ? [] : [ids].flat())),
});

export type TokenizerJson = z.infer<typeof tokenizerJson>;
export type AddedToken = z.infer<typeof addedToken>;

/** Content of a file beside the weights; undefined where there is none. */
type ReadFile = (name: string) => Promise<string | undefined>;

export interface TokenizerDirectory {
  readonly path: string;
  readonly tokenizer: TokenizerJson;
  readonly config: z.infer<typeof tokenizerConfig>;
  readonly template: string;
  /** Of generation_config.json; empty when it names none. */
  readonly endTokenIds: readonly number[];
}

/** All that a `PolicyTokenizer` is made from. */
export const tokenizerFileNames = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'] as const;

/** @throws Error naming the file, what was expected of it and what it holds. */
export async function readTokenizerDirectory(path: string, read: ReadFile = (name) => fileIn(path, name)): Promise<TokenizerDirectory> {
  const tokenizer = parse(tokenizerJson, await required(path, 'tokenizer.json', read), join(path, 'tokenizer.json'));
  const config = parse(tokenizerConfig, (await read('tokenizer_config.json')) ?? '{}', join(path, 'tokenizer_config.json'));
  const generation = parse(generationConfig, (await read('generation_config.json')) ?? '{}', join(path, 'generation_config.json'));
  const template = (await read('chat_template.jinja')) ?? templateOf(config.chat_template);
  if (template === undefined) {
    throw new Error(`${path}: expected chat_template.jinja, or chat_template in tokenizer_config.json, got neither; add the template of the model's family`);
  }
  return { path, tokenizer, config, template, endTokenIds: generation.eos_token_id };
}

function templateOf(templates: z.infer<typeof tokenizerConfig>['chat_template']): string | undefined {
  if (!Array.isArray(templates)) return templates ?? undefined;
  return (templates.find((entry) => entry.name === 'default') ?? templates[0])?.template;
}

function parse<T>(schema: z.ZodType<T>, text: string, file: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`${file}: expected a Hugging Face tokenizer file, got ${reason}`, { cause: error });
  }
}

async function required(path: string, name: string, read: ReadFile): Promise<string> {
  const text = await read(name);
  if (text === undefined) throw new Error(`${path}: expected ${name}, got no such file; the directory must hold the tokenizer beside the weights`);
  return text;
}

async function fileIn(path: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(path, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
