/** @file Malformed model directories: each a named error or a sound load, in bounded time and memory. TURNWISE_MUTATIONS sets how many. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModelDirectory, readModelWeights } from '../../activities/checkpoint/modelDirectory.ts';
import { PolicyTokenizer } from '../../activities/policy/tokenizer/policyTokenizer.ts';
import { checkTensors, tensorShapes } from '../../core/model/tensorNames.ts';
import { goldenFolder } from '../model/goldenModels.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { mutated } from './malformed.ts';

const count = Number(process.env['TURNWISE_MUTATIONS'] ?? 120);
const targets = [
  ['qwen2-tiny', 'config.json'],
  ['qwen2-tiny', 'model.safetensors'],
  ['qwen3-tiny', 'model.safetensors.index.json'],
  ['qwen3-tiny', 'model-00002-of-00005.safetensors'],
  ['qwen2-tiny', 'tokenizer.json'],
  ['qwen2-tiny', 'tokenizer_config.json'],
] as const;

/** A sound load, or the error. */
async function load(directory: string, file: string): Promise<Error | undefined> {
  try {
    if (file.startsWith('tokenizer')) await PolicyTokenizer.load(directory);
    else {
      const model = await openModelDirectory(directory);
      checkTensors(tensorShapes(model.config), await readModelWeights(model));
    }
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

test.each(targets)(
  '%s, %s: every mutation is refused by name or loads',
  async (name, file) => {
    const directory = await temporaryDirectory('malformed');
    await cp(join(goldenFolder, 'models', name), directory, { recursive: true });
    const original = await readFile(join(directory, file));
    const unnamed: string[] = [];
    let refused = 0;
    for (let seed = 0; seed < Math.ceil(count / targets.length); seed++) {
      await writeFile(join(directory, file), mutated(original, seed));
      const before = process.memoryUsage().arrayBuffers;
      const error = await load(directory, file);
      expect(process.memoryUsage().arrayBuffers - before, `seed ${seed}`).toBeLessThan(256 * 2 ** 20);
      if (error === undefined) continue;
      refused += 1;
      const isNamed = ['ModelDirectoryError', 'UnsupportedModel', 'SafetensorsError'].includes(error.name) || error.message.startsWith(directory);
      if (!isNamed) unnamed.push(`seed ${seed}: ${error.name}: ${error.message.slice(0, 160)}`);
    }
    expect(unnamed).toEqual([]);
    expect(refused).toBeGreaterThan(0);
  },
  240_000,
);
