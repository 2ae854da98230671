/** @file Seeded random streams: sfc32 (Chris Doty-Humphrey, PractRand) keyed by a path of names and numbers. No global state. */

export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in [low, high], both inclusive. */
  integer(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  /** `count` different items, in random order. */
  sample<T>(items: readonly T[], count: number): T[];
  /** Standard normal (Box–Muller). */
  normal(): number;
}

/** 32-bit hash of a path such as `[seed, 'step', 12, 'r', 3]`: FNV-1a over its text, finished by the mixer of MurmurHash3. */
export function seedOf(...path: readonly (string | number)[]): number {
  let hash = 0x811c9dc5;
  for (const character of path.join('\u001f')) {
    hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function randomOf(seed: number): Random {
  const next = sfc32(seed);
  const integer = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new Error('Random.pick: expected at least one item, got none');
    return items[integer(0, items.length - 1)] as T;
  };
  const sample = <T>(items: readonly T[], count: number): T[] => {
    if (count > items.length) throw new Error(`Random.sample: expected at most ${items.length} items, got ${count}`);
    const pool = [...items];
    return Array.from({ length: count }, () => pool.splice(integer(0, pool.length - 1), 1)[0] as T);
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return { next, integer, pick, sample, normal };
}

function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [0, seed >>> 0, 0, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}
