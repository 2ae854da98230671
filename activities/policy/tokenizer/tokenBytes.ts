/** @file The bytes that one token of a vocabulary stands for; of a byte-level vocabulary they may be a part of a character. */
import { byteCharacters } from './builtTokenizers.ts';
import type { TokenizerJson } from './directory.ts';

const bytesByCharacter = new Map(byteCharacters().map((character, byte) => [character, byte]));

/** @param token as the vocabulary writes it, not an added token. */
export function tokenBytes(token: string, tokenizer: TokenizerJson): Uint8Array {
  if (isByteLevel(tokenizer['decoder'])) {
    const bytes = [...token].map((character) => bytesByCharacter.get(character));
    if (bytes.every((byte) => byte !== undefined)) return Uint8Array.from(bytes);
  }
  const fallback = /^<0x([0-9A-F]{2})>$/.exec(token);
  return fallback ? Uint8Array.of(Number.parseInt(fallback[1] as string, 16)) : Buffer.from(token.replaceAll('▁', ' '));
}

function isByteLevel(decoder: unknown): boolean {
  const { type, decoders } = (decoder ?? {}) as { readonly type?: unknown; readonly decoders?: unknown };
  return type === 'ByteLevel' || (Array.isArray(decoders) && decoders.some(isByteLevel));
}
