/**
 * @file BM25F (Robertson, Zaragoza and Taylor 2004): a term counts by the field it stands in, and saturates over all fields of a document together.
 * Documents are files, or entities: both from the same postings.
 */
import { textFields } from './fileRecord.ts';
import type { TermMatches } from './termMatches.ts';

export interface FieldWeights {
  /** By the order of `textFields`. */
  readonly weights: readonly number[];
  /** How much the length of a field counts against it, 0 to 1, by the same order. */
  readonly lengthNorms: readonly number[];
  /** Where a repeated term stops to add. */
  readonly saturation: number;
}

export interface MatchStatistics {
  /** Words per field of each file. */
  readonly fileLengths: Float32Array;
  readonly averageFileLengths: readonly number[];
  readonly averageEntityLengths: readonly number[];
  /** Files, and entities, that hold each term. */
  readonly fileFrequency: Uint32Array;
  readonly entityFrequency: Uint32Array;
}

const width = textFields.length;

export function statisticsOf(matches: TermMatches, terms: number): MatchStatistics {
  const { paths, firstEntity, lengths } = matches;
  const fileLengths = new Float32Array(paths.length * width);
  for (let file = 0; file < paths.length; file++) {
    for (let slot = at(firstEntity, file) * width; slot < at(firstEntity, file + 1) * width; slot++) {
      const field = file * width + (slot % width);
      fileLengths[field] = at(fileLengths, field) + at(lengths, slot);
    }
  }
  const fileFrequency = new Uint32Array(terms);
  const entityFrequency = new Uint32Array(terms);
  eachMatch(matches, (term, first, end) => {
    fileFrequency[term] = at(fileFrequency, term) + 1;
    for (let posting = first; posting < end; posting++) {
      const isNext = posting === first || at(matches.entities, posting) !== at(matches.entities, posting - 1);
      if (isNext) entityFrequency[term] = at(entityFrequency, term) + 1;
    }
  });
  return {
    fileLengths,
    averageFileLengths: averages(fileLengths, paths.length),
    averageEntityLengths: averages(lengths, lengths.length / width),
    fileFrequency,
    entityFrequency,
  };
}

function averages(lengths: Float32Array, documents: number): number[] {
  const sums = textFields.map(() => 0);
  lengths.forEach((length, slot) => {
    sums[slot % width] = (sums[slot % width] as number) + length;
  });
  return sums.map((sum) => Math.max(sum / Math.max(documents, 1), 1e-9));
}

/** One call for each file and term: the postings from `first` up to `end`, sorted by entity and field. */
export function eachMatch(matches: TermMatches, visit: (term: number, first: number, end: number, file: number) => void): void {
  const { firstPosting, terms, paths } = matches;
  for (let file = 0; file < paths.length; file++) {
    const last = at(firstPosting, file + 1);
    for (let first = at(firstPosting, file); first < last; ) {
      const term = at(terms, first);
      let end = first + 1;
      while (end < last && at(terms, end) === term) end++;
      visit(term, first, end, file);
      first = end;
    }
  }
}

/** Of Robertson and Spärck Jones, never negative. */
export function inverseFrequency(documents: number, holding: number): number {
  return Math.log(1 + (documents - holding + 0.5) / (holding + 0.5));
}

/** Sum over the terms, of each its weight × inverse frequency × saturated count. */
export function fileScores(matches: TermMatches, statistics: MatchStatistics, termWeights: ArrayLike<number>, field: FieldWeights): Float64Array {
  const scores = new Float64Array(matches.paths.length);
  const { fileLengths, averageFileLengths, fileFrequency } = statistics;
  eachMatch(matches, (term, first, end, file) => {
    const weight = at(termWeights, term);
    if (weight === 0) return;
    let count = 0;
    for (let posting = first; posting < end; posting++) {
      const number = at(matches.fields, posting);
      count += (at(field.weights, number) * at(matches.counts, posting)) / norm(field, number, at(fileLengths, file * width + number), averageFileLengths);
    }
    scores[file] = at(scores, file) + (weight * inverseFrequency(matches.paths.length, at(fileFrequency, term)) * count) / (field.saturation + count);
  });
  return scores;
}

export function entityScores(matches: TermMatches, statistics: MatchStatistics, termWeights: ArrayLike<number>, field: FieldWeights): Float64Array {
  const documents = matches.kinds.length;
  const scores = new Float64Array(documents);
  eachMatch(matches, (term, first, end) => {
    const weight = at(termWeights, term) * inverseFrequency(documents, at(statistics.entityFrequency, term));
    if (weight === 0) return;
    let count = 0;
    for (let posting = first; posting < end; posting++) {
      const number = at(matches.fields, posting);
      const entity = at(matches.entities, posting);
      const length = at(matches.lengths, entity * width + number);
      count += (at(field.weights, number) * at(matches.counts, posting)) / norm(field, number, length, statistics.averageEntityLengths);
      if (posting + 1 < end && at(matches.entities, posting + 1) === entity) continue;
      scores[entity] = at(scores, entity) + (weight * count) / (field.saturation + count);
      count = 0;
    }
  });
  return scores;
}

function norm({ lengthNorms }: FieldWeights, field: number, length: number, averages: readonly number[]): number {
  const share = at(lengthNorms, field);
  return 1 - share + (share * length) / at(averages, field);
}

function at(numbers: ArrayLike<number>, position: number): number {
  return numbers[position] as number;
}
