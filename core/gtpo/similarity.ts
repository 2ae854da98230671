/**
 * @file How alike the code of two trajectories is. The paper (Group Turn Policy Optimization, arXiv 2511.14846) takes the cosine of a hosted model's embeddings;
 * the default here needs no model: the cosine of Python token counts, single tokens and adjacent pairs.
 */
import { randomOf } from '../random.ts';
import { pythonTokens } from './pythonTokens.ts';
import type { GradedGroup, PerGroup } from './types.ts';

export type Similarity = GradedGroup['similarity'];

/** Counted features of a text, ascending by key, and the sum of the squared counts. */
interface TokenCounts {
  readonly keys: Float64Array;
  readonly counts: Float64Array;
  readonly square: number;
}

/** Pairs matter: the same calls in another order are another program. Vectors are made when first asked for. */
export function tokenCosine(codes: PerGroup<string>): Similarity {
  const vocabulary = new Map<string, number>();
  const vectors = new Map<number, TokenCounts>();
  const vectorOf = (sibling: number): TokenCounts => {
    const known = vectors.get(sibling);
    if (known !== undefined) return known;
    const made = countTokens(codes[sibling] ?? '', vocabulary);
    vectors.set(sibling, made);
    return made;
  };
  return (a, b) => sparseCosine(vectorOf(a), vectorOf(b));
}

/** Room for 2^26 different tokens, so that a pair's key is an exact number. */
const pairStride = 2 ** 26;

function countTokens(code: string, vocabulary: Map<string, number>): TokenCounts {
  const ids = pythonTokens(code).map((token) => idOf(token, vocabulary));
  const features = new Float64Array(Math.max(0, 2 * ids.length - 1));
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    features[2 * i] = id;
    if (i + 1 < ids.length) features[2 * i + 1] = id * pairStride + (ids[i + 1] as number);
  }
  return runLengths(features.sort());
}

function runLengths(sorted: Float64Array): TokenCounts {
  const [keys, counts] = [new Float64Array(sorted.length), new Float64Array(sorted.length)];
  let [length, square] = [0, 0];
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    while (end < sorted.length && sorted[end] === sorted[start]) end += 1;
    keys[length] = sorted[start] as number;
    counts[length] = end - start;
    square += (end - start) ** 2;
    length += 1;
  }
  return { keys: keys.slice(0, length), counts: counts.slice(0, length), square };
}

/** From 1; 0 is no token. */
function idOf(token: string, vocabulary: Map<string, number>): number {
  const known = vocabulary.get(token);
  if (known !== undefined) return known;
  vocabulary.set(token, vocabulary.size + 1);
  return vocabulary.size;
}

/** Counts are integers, so the sums are exact, do not depend on their order, and equal texts give exactly 1. */
function sparseCosine(a: TokenCounts, b: TokenCounts): number {
  if (a.square === 0 || b.square === 0) return 0;
  let [dot, i, j] = [0, 0, 0];
  while (i < a.keys.length && j < b.keys.length) {
    const [left, right] = [a.keys[i] as number, b.keys[j] as number];
    if (left === right) dot += (a.counts[i] as number) * (b.counts[j] as number);
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return dot / Math.sqrt(a.square * b.square);
}

/** Cosine of vectors that some model made of the codes. */
export function embeddingCosine(embeddings: PerGroup<ArrayLike<number>>): Similarity {
  return (a, b) => denseCosine(embeddings[a] ?? [], embeddings[b] ?? []);
}

function denseCosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`embeddingCosine: expected vectors of one length, got ${a.length} and ${b.length}`);
  let [dot, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? 0 : dot / Math.sqrt(squareA * squareB);
}

/**
 * The control of an ablation: every unsolved trajectory gets the similarity of another one, so that the amount of shaping stays and its
 * meaning goes. `shuffledAmong` are the siblings that trade places.
 */
export function shuffled(similarity: Similarity, shuffledAmong: readonly number[], seed: number): Similarity {
  const order = randomOf(seed).sample(shuffledAmong, shuffledAmong.length);
  const stands = new Map(shuffledAmong.map((sibling, i) => [sibling, order[i] as number]));
  return (unsolved, solved) => similarity(stands.get(unsolved) ?? unsolved, solved);
}
