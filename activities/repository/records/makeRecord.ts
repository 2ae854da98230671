/** @file From the bytes of one file to its record, or to the reason why there is none. */
import type { FileRecord } from '../../../core/scout/fileRecord.ts';
import type { SkipReason } from '../../../core/scout/types.ts';
import { languageOf } from '../grammar/languages.ts';
import { parseFile } from '../grammar/parse.ts';

/** Git's own rule: a NUL among the first bytes. */
const binaryProbeBytes = 8000;

export async function makeRecord(path: string, content: Uint8Array | undefined): Promise<FileRecord | SkipReason> {
  const language = languageOf(path);
  if (!language) return 'otherLanguage';
  if (!content) return 'unreadable';
  if (content.subarray(0, binaryProbeBytes).includes(0)) return 'binary';
  const text = textOf(content);
  if (text === undefined) return 'notUtf8';
  return (await parseFile(text, language)) ?? 'unparsable';
}

/** Without a byte order mark, with every kind of line end as `\n`. */
function textOf(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content).replace(/\r\n?/g, '\n');
  } catch {
    return undefined;
  }
}
