/** @file `node test/tokenizer/writeBuiltTokenizers.ts OUT` writes the built tokenizers to OUT/tags and OUT/bytes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTokenizer } from '../../activities/policy/tokenizer/builtTokenizers.ts';

export function writeBuiltTokenizers(folder: string): void {
  for (const vocabulary of ['tags', 'bytes'] as const) {
    mkdirSync(join(folder, vocabulary), { recursive: true });
    for (const [name, content] of Object.entries(buildTokenizer(vocabulary))) writeFileSync(join(folder, vocabulary, name), content);
  }
}

if (import.meta.main) writeBuiltTokenizers(process.argv[2] ?? '.');
