/**
 * @file A policy as a directory that is two things at once: a Hugging Face model in float32, and model.onnx for plain ONNX Runtime, whose
 * external data is that very model.safetensors. Whole or absent.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { modelBytes } from '../../core/graph/onnx.ts';
import type { StoredData } from '../../core/graph/types.ts';
import { exportGraph } from '../../core/model/exportGraph.ts';
import { syncDirectory } from '../artifacts/atomicWrite.ts';
import { type FileDigest, writeDurably } from './durableFile.ts';
import { removeIfEmpty } from './exportPolicy.ts';
import { policyPieces, readWholePolicy } from './policyDirectory.ts';
import { weightsFileName } from './policyFiles.ts';
import { readHeader } from './safetensors.ts';

export const onnxFileName = 'model.onnx';

/** @throws Error when `out` holds something already, or the directory is no policy. */
export async function exportOnnx(directory: string, name: string, out: string): Promise<Readonly<Record<string, FileDigest>>> {
  const { config, weights, files } = await readWholePolicy(directory);
  await removeIfEmpty(out);
  const temporary = join(dirname(out), `.${basename(out)}.${process.pid}.tmp`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const written: Record<string, FileDigest> = {};
    for (const [file, pieces] of policyPieces({ weights, files, card: cardOf(name) })) written[file] = await writeDurably(join(temporary, file), pieces);
    const stored = await placesIn(join(temporary, weightsFileName));
    written[onnxFileName] = await writeDurably(join(temporary, onnxFileName), [modelBytes(exportGraph(config, stored))]);
    await syncDirectory(temporary);
    await rename(temporary, out);
    await syncDirectory(dirname(out));
    return written;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function placesIn(path: string): Promise<(name: string) => StoredData> {
  const { entries, dataStart } = await readHeader(path);
  const places = new Map(entries.map(({ name, begin, end }) => [name, { location: weightsFileName, offset: dataStart + begin, byteLength: end - begin }]));
  return (name) => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`${path}: expected a tensor ${name}, found none`);
    return place;
  };
}

function cardOf(name: string): string {
  return [
    `# ${name}`,
    '',
    'Exported by turnwise: a Hugging Face model in float32, and `model.onnx` for ONNX Runtime, whose weights are those of `model.safetensors`.',
    'Keep both in one directory. B rows, T new tokens a row, P cached ones (0 at first), S = P + T:',
    '',
    '| | | |',
    '|---|---|---|',
    '| in | `input_ids` | int64 [B, T] |',
    '| in | `position_ids` | int64 [B, T], from 0 on |',
    '| in | `attention_mask` | int64 [B, S]: 1, or 0 for padding |',
    '| in | `past_key_values.L.key`, `.value` | float32 [B, kv heads, P, head size], for every layer L |',
    '| out | `logits` | float32 [B, T, vocabulary] |',
    '| out | `present.L.key`, `.value` | float32 [B, kv heads, S, head size]: the next call’s past |',
    '',
  ].join('\n');
}
