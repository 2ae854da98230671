/** @file Random weights of a shape in one safetensors file, written tensor by tensor: what an adapter lies on. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHeader, readHeader } from '../../activities/checkpoint/safetensors.ts';
import type { ModelConfig, StoredTensor } from '../../core/model/config.ts';
import type { FrozenBase } from '../../core/model/lora.ts';
import { tensorShapes } from '../../core/model/tensorNames.ts';
import { lora } from './cases.ts';

const fileName = 'model.safetensors';

export async function writeBase(config: ModelConfig, folder: string): Promise<FrozenBase> {
  const shapes = tensorShapes(config);
  const path = join(folder, fileName);
  const file = await open(path, 'w');
  await file.writeFile(encodeHeader(Array.from(shapes, ([name, shape]) => ({ name, shape }))));
  for (const [name, shape] of shapes) {
    const data = randomTensor(name, shape);
    await file.writeFile(new Uint8Array(data.buffer));
  }
  await file.close();
  const { entries, dataStart } = await readHeader(path);
  const stored = entries.map(({ name, shape, begin }): [string, StoredTensor] => [name, { shape, location: fileName, offset: dataStart + begin }]);
  return { folder, tensors: new Map(stored), lora };
}

/** Norms 1, biases 0, matrices uniform with variance 1 / fan-in from a linear congruence: half a billion numbers in seconds. */
function randomTensor(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
  if (shape.length === 1) return name.endsWith('norm.weight') ? data.fill(1) : data;
  const bound = Math.sqrt(3 / (shape[1] as number));
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = bound * (state / 2 ** 31 - 1);
  }
  return data;
}
