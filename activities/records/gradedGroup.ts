/** @file A group's trajectories as credit assignment sees them, with the similarity that the run asks for. */
import { ApplicationFailure } from '@temporalio/common';
import { embeddingCosine, type Similarity, shuffled, tokenCosine } from '../../core/gtpo/similarity.ts';
import { type CreditTrajectory, type GradedGroup, isCounted, type PerGroup } from '../../core/gtpo/types.ts';
import { seedOf } from '../../core/random.ts';
import type { Trajectory } from '../../core/rollout/trajectory.ts';
import type { CreditConfig } from '../../core/run/config.ts';

/** Vectors of the texts, one each, all of one length, by the model in a Hugging Face directory. */
export type Embed = (model: string, texts: readonly string[]) => Promise<readonly ArrayLike<number>[]>;

export async function gradedGroup(trajectories: PerGroup<Trajectory>, credit: CreditConfig, embed: Embed | undefined): Promise<GradedGroup> {
  const codes = trajectories.map(codeOf);
  const credited = trajectories.map(({ outcome, turns }, i) => ({ outcome, hasCode: (codes[i] as string).trim() !== '', turns }));
  const similarity = needsSimilarity(credited, credit) ? await similarityOf(trajectories, codes, credited, credit, embed) : unasked;
  return { trajectories: credited, similarity };
}

/** The code of all turns, in order. */
function codeOf({ turns }: Trajectory): string {
  return turns.flatMap(({ code }) => code ?? []).join('\n');
}

function needsSimilarity(trajectories: PerGroup<CreditTrajectory>, { method, alpha }: CreditConfig): boolean {
  const solved = trajectories.filter(isCounted).map(({ outcome }) => outcome === 'solved');
  return method === 'gtpo' && alpha !== 0 && solved.includes(true) && solved.includes(false);
}

function unasked(): never {
  throw new Error('gradedGroup: expected nobody to ask for similarity in a group without solved and unsolved siblings');
}

async function similarityOf(
  trajectories: PerGroup<Trajectory>,
  codes: PerGroup<string>,
  credited: PerGroup<CreditTrajectory>,
  { similarity, embeddingModel }: CreditConfig,
  embed: Embed | undefined,
): Promise<Similarity> {
  switch (similarity) {
    case 'tokenCosine':
      return tokenCosine(codes);
    case 'shuffled':
      return shuffled(tokenCosine(codes), unsolvedWithCode(credited), seedOf('shuffledSimilarity', ...trajectories.map(({ seed }) => seed)));
    case 'embedding':
      if (embed === undefined || embeddingModel === null)
        throw ApplicationFailure.nonRetryable(
          'credit.similarity embedding: expected credit.embeddingModel and a worker that loads it, got none',
          'ConfigError',
        );
      return embeddingCosine(await embed(embeddingModel, codes));
  }
}

function unsolvedWithCode(trajectories: PerGroup<CreditTrajectory>): number[] {
  return trajectories.flatMap((trajectory, sibling) => (isCounted(trajectory) && trajectory.outcome !== 'solved' && trajectory.hasCode ? [sibling] : []));
}
