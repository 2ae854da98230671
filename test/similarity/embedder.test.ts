/** @file Embedding models for the similarity of code: a tiny ONNX model built here, what it must have, and the rewards that follow from it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAdvantages } from '../../activities/advantages.ts';
import { artifactRoot, runPaths } from '../../activities/artifacts/paths.ts';
import { ArtifactStore } from '../../activities/artifacts/store.ts';
import { buildBytesTokenizer } from '../../activities/policy/tokenizer/builtTokenizers.ts';
import { readLines } from '../../activities/records/lines.ts';
import type { TrajectoryLine } from '../../activities/records/trajectoryLine.ts';
import { openEmbedder } from '../../activities/similarity/embedder.ts';
import { Embeddings } from '../../activities/similarity/embeddings.ts';
import { Graph } from '../../core/graph/graph.ts';
import { modelBytes } from '../../core/graph/onnx.ts';
import { gather, mul, reduceMean } from '../../core/graph/ops.ts';
import { embeddingCosine } from '../../core/gtpo/similarity.ts';
import { randomOf } from '../../core/random.ts';
import { asActivity, creditInput, trajectoryOf } from '../records/syntheticRun.ts';

const [vocabulary, width] = [260, 4];
const random = randomOf(7);
const table = Float32Array.from({ length: vocabulary * width }, () => random.next() - 0.2);

/** Row 0 takes a token out, row 1 leaves it. */
const maskTable = Float32Array.from({ length: 2 * width }, (_, i) => (i < width ? 0 : 1));

interface Shape {
  readonly inputs?: readonly string[];
  readonly output?: string;
  readonly pooled?: boolean;
}

/** Looks tokens up in a table; with a mask it multiplies by it, as encoders do in their own ways. */
function tinyModel({ inputs = ['input_ids', 'attention_mask'], output = 'last_hidden_state', pooled = false }: Shape = {}): Uint8Array {
  const graph = new Graph();
  const [ids, ...others] = inputs.map((name) => graph.input(name, 'int64', ['batch', 'tokens']));
  if (ids === undefined) throw new Error('expected an input');
  let states = gather(graph.initializer('table', 'float32', [vocabulary, width], table), ids);
  const mask = others[0];
  if (mask !== undefined) states = mul(states, gather(graph.initializer('masked', 'float32', [2, width], maskTable), mask));
  graph.output(output, pooled ? reduceMean(states, [1], false) : states);
  return modelBytes(graph);
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnwise-embedder-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function writeModel(model = tinyModel(), settings: object = {}): Promise<void> {
  await mkdir(join(directory, 'onnx'), { recursive: true });
  await writeFile(join(directory, 'onnx/model.onnx'), model);
  const files = buildBytesTokenizer();
  await writeFile(join(directory, 'tokenizer.json'), files['tokenizer.json']);
  await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify({ ...JSON.parse(files['tokenizer_config.json']), ...settings }));
}

const ids = (text: string) => {
  const { vocab } = (JSON.parse(buildBytesTokenizer()['tokenizer.json']) as { model: { vocab: Record<string, number> } }).model;
  return [...text].map((character) => vocab[character] as number);
};
const meanOf = (text: string) =>
  Array.from({ length: width }, (_, d) => ids(text).reduce((sum, id) => sum + (table[id * width + d] as number), 0) / text.length);
const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 6));

async function embedded(...texts: string[]) {
  const embedder = await openEmbedder(directory);
  try {
    return (await embedder.embed(texts)).map((vector) => [...vector]);
  } finally {
    await embedder.release();
  }
}

test('a vector is the mean of the hidden states over its own tokens, whoever is embedded beside it', async () => {
  await writeModel();
  const [short, long, blank] = await embedded('f(x)', 'print(total)', ' ');
  expect(short).toEqual(closeTo(meanOf('f(x)')));
  expect(long).toEqual(closeTo(meanOf('print(total)')));
  expect(blank).toEqual([]);
  expect(await embedded('f(x)')).toEqual([short]);
});

test.each<[string, Shape]>([
  ['without a mask', { inputs: ['input_ids'] }],
  ['with segments', { inputs: ['input_ids', 'attention_mask', 'token_type_ids'] }],
  ['with an embedding of its own', { output: 'sentence_embedding', pooled: true }],
])('a model %s gives the same', async (_, shape) => {
  await writeModel(tinyModel(shape));
  expect(await embedded('f(x)')).toEqual([closeTo(meanOf('f(x)'))]);
});

test('what is longer than the model reads is cut; its last token stays', async () => {
  await writeModel(tinyModel(), { model_max_length: 4 });
  expect(await embedded('abcdefz')).toEqual([closeTo(meanOf('abcz'))]);
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'no model',
    () => rm(join(directory, 'onnx/model.onnx')),
    /onnx\/model\.onnx: expected a file of the embedding model \(credit\.embeddingModel\), found none/,
  ],
  ['no tokenizer', () => rm(join(directory, 'tokenizer.json')), /tokenizer\.json: expected a file of the embedding model/],
  ['a torn tokenizer', () => writeFile(join(directory, 'tokenizer.json'), '{"model"'), /tokenizer\.json: expected JSON, got /],
  ['bytes that are no model', () => writeFile(join(directory, 'onnx/model.onnx'), 'text'), /model\.onnx: expected an ONNX model, got one that does not load/],
  ['a decoder', () => writeModel(tinyModel({ inputs: ['input_ids', 'position_ids'] })), /expected the inputs input_ids, .*got input_ids, position_ids; export/],
  ['logits', () => writeModel(tinyModel({ output: 'logits' })), /expected an output sentence_embedding or last_hidden_state, got logits; export/],
])('%s is a configuration error that names the file', async (_, spoil, message) => {
  await writeModel();
  await spoil();
  await expect(openEmbedder(directory)).rejects.toMatchObject({ name: 'ConfigError', message: expect.stringMatching(message) });
});

test('the activity shapes an unsolved rollout by the cosine of the vectors; a broken model is a configuration error', async () => {
  await writeModel();
  const home = join(directory, 'home');
  const store = new ArtifactStore(artifactRoot(home));
  const embeddings = new Embeddings();
  try {
    const group = [
      trajectoryOf(1, 'chain/train/1', 0, 'solved', [{ code: 'f(1)', output: '1' }, { answer: '1' }]),
      trajectoryOf(1, 'chain/train/1', 1, 'failed', [{ code: 'g(2)', output: '2' }, { answer: '2' }]),
    ];
    const input = await creditInput(store, 1, [group]);
    const credit = { ...input.credit, similarity: 'embedding' as const, embeddingModel: directory };
    await asActivity(createAdvantages({ home, store, embed: embeddings.embed }))({ ...input, credit });
    const [, failed] = await readLines<TrajectoryLine>(join(runPaths(home, 'synthetic').trajectories, 'step_000001.jsonl'));
    const cosine = embeddingCosine([meanOf('f(1)'), meanOf('g(2)')])(0, 1);
    expect(cosine).toBeGreaterThan(0.1);
    expect(failed?.turns[1]?.reward?.shaping).toBeCloseTo(0.5 * cosine, 6);
    const broken = { ...input, credit: { ...credit, embeddingModel: join(directory, 'absent') } };
    await expect(asActivity(createAdvantages({ home, store, embed: embeddings.embed }))(broken)).rejects.toMatchObject({ name: 'ConfigError' });
  } finally {
    await embeddings.close();
  }
});
