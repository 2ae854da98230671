/** @file `node test/tokenizer/writeBuiltTokenizers.ts OUT` writes the built tokenizers to OUT/tags and OUT/bytes, as they lie beside a policy. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildTokenizer } from '../../activities/policy/tokenizer/builtTokenizers.ts';
import { huggingFaceConfigOf } from '../../core/model/huggingFaceConfig.ts';
import { presetConfig } from '../../core/model/presets.ts';
import { builtTexts } from './builtTexts.ts';

export function writeBuiltTokenizers(folder: string): void {
  for (const vocabulary of ['tags', 'bytes'] as const) {
    mkdirSync(join(folder, vocabulary), { recursive: true });
    const files: Record<string, string> = {
      ...buildTokenizer(vocabulary),
      // AutoTokenizer goes by the model's type.
      'config.json': JSON.stringify(huggingFaceConfigOf(presetConfig('nano', vocabulary === 'tags' ? 98 : 261), { endOfTurn: 4, padding: 0 })),
      'texts.json': JSON.stringify(builtTexts(vocabulary)),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, vocabulary, name), content);
  }
}

if (import.meta.main) writeBuiltTokenizers(process.argv[2] ?? '.');
