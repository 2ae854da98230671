/** @file What is generated, by us and by the peer. */
import type { Calls } from './concurrentCalls.ts';

export const vocabSizes = { S: 512, M: 4096 } as const;

export interface GenerationCase extends Omit<Calls, 'vocabSize'> {
  readonly shape: keyof typeof vocabSizes;
}
