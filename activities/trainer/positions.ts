/** @file How long a context a model can have. */
import type { ModelConfig } from '../../core/model/config.ts';

/** What is wrong with the context of a run on this model; undefined when nothing is. */
export function positionsProblem(
  { maxPositions, slidingWindow }: Pick<ModelConfig, 'maxPositions' | 'slidingWindow'>,
  contextLength: number,
): string | undefined {
  if (contextLength <= maxPositions) return undefined;
  const limit = slidingWindow === undefined ? 'max_position_embeddings' : 'sliding_window, beyond which turnwise does not go,';
  return `policy.contextLength: expected at most the model's ${limit} ${maxPositions}, got ${contextLength}`;
}
