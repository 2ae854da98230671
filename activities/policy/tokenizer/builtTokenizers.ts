/**
 * @file Tokenizers of policies made from nothing, as the files that Hugging Face libraries load.
 * `tags`: a fixed vocabulary of 98 words and characters for the recipe families, longest match first. `bytes`: any UTF-8 text.
 */
import type { PolicyConfig } from '../../../core/run/config.ts';

/** File name → content, to be written beside config.json. */
export type TokenizerFiles = Readonly<Record<'tokenizer.json' | 'tokenizer_config.json' | 'special_tokens_map.json' | 'chat_template.jinja', string>>;

const specials = ['<pad>', '<|user|>', '<|bot|>', '<|tool|>', '<|end|>'] as const;
const tags = ['<code>', '</code>', '<answer>', '</answer>'];
const characters = [...'0123456789abcdefghijklmnopqrstuvwxyz', ..."'()+-*,.?: "];
const words = [
  ...['What is', ' the', ' of', ' room', ' age', ' desk', ' boss', ' friend', ' aunt', ' coach'],
  ...["room('", "age('", "desk('", "boss('", "friend('", "aunt('", "coach('", "')"],
  ...[' has', ' gets', ' finds', ' buys', ' loses', ' sells', ' eats', ' packs', ' copies', ' times', '. How many?', ' pens', ' then'],
  ...['Total', ' stock', ' and', "new('", "old('", 'KeyError', 'TypeError', 'NameError', 'SyntaxError', 'Error', 'none'],
];

const template =
  "{% for message in messages %}{% if message['role'] == 'assistant' %}<|bot|>{% generation %}{{ message['content'] }}<|end|>{% endgeneration %}" +
  "{% elif message['role'] == 'tool' %}<|tool|>{{ message['content'] }}<|end|>{% else %}<|user|>{{ message['content'] }}<|end|>{% endif %}{% endfor %}" +
  '{% if add_generation_prompt %}<|bot|>{% endif %}';

export function buildTokenizer(vocabulary: PolicyConfig['vocabulary']): TokenizerFiles {
  return vocabulary === 'tags' ? buildTagsTokenizer() : buildBytesTokenizer();
}

/**
 * transformers reads a tokenizer beside a Qwen 2 model as byte-level BPE, whatever else the file says. So the words are added tokens, which are
 * matched first, the longest at each place; BPE is left with single characters. Characters outside the vocabulary are dropped.
 */
function buildTagsTokenizer(): TokenizerFiles {
  return filesOf([...specials, ...tags, ...characters.map((character) => character.replace(' ', 'Ġ')), ...words], [...tags, ...words]);
}

export function buildBytesTokenizer(): TokenizerFiles {
  return filesOf([...specials, ...byteCharacters()], []);
}

function filesOf(vocabulary: readonly string[], wholeWords: readonly string[]): TokenizerFiles {
  const added = [...specials, ...wholeWords].map((content) => {
    const special = (specials as readonly string[]).includes(content);
    return { id: vocabulary.indexOf(content), content, single_word: false, lstrip: false, rstrip: false, normalized: false, special };
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const bpe = { type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null };
  const model = { ...bpe, fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab: indexed(vocabulary), merges: [] };
  const tokenizer = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel, model };
  const names = { eos_token: '<|end|>', pad_token: '<pad>' };
  return {
    'tokenizer.json': json({ version: '1.0', truncation: null, padding: null, added_tokens: added, ...tokenizer }),
    // No text becomes the unknown token. transformers wants one by name, and adds one of its own to the vocabulary when it is not told.
    'tokenizer_config.json': json({ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false, ...names, unk_token: '<pad>' }),
    'special_tokens_map.json': json(names),
    'chat_template.jinja': template,
  };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const indexed = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** The printable character of every byte, in the byte-level BPE convention of GPT-2: bytes without a glyph get 256, 257, … */
export function byteCharacters(): string[] {
  const isPrintable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}
