/** @file What is generated, by us and by the peer. */

export const vocabSizes = { S: 512, M: 4096 } as const;

/** Sampled before every measurement, on either side: the other has slept meanwhile, and first steps find cold caches and sleeping threads. */
export const warmingTokens = 32;

export interface GenerationCase {
  readonly shape: keyof typeof vocabSizes;
  readonly rows: number;
  readonly promptTokens: number;
  readonly sampledTokens: number;
  /** All rows have the same prompt, as siblings do. */
  readonly shared: boolean;
}
