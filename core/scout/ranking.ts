/** @file Scores files and entities for an issue: lexical evidence over fields, fused between files and what is in them, plus what the issue names outright. */
import { entityScores, fileScores, inverseFrequency, type MatchStatistics } from './bm25f.ts';
import type { IssueTerm } from './issueTerms.ts';
import { issueRoles } from './issueText.ts';
import type { IssueMention } from './mentions.ts';
import type { RankingParameters } from './rankingParameters.ts';
import { entityKinds, type TermMatches } from './termMatches.ts';

/** A mention with the numbers of the entities that it means. */
export interface NumberedMention {
  readonly mention: IssueMention;
  readonly entities: readonly number[];
}

export interface RankingInput {
  readonly terms: readonly IssueTerm[];
  readonly matches: TermMatches;
  readonly statistics: MatchStatistics;
  readonly mentions: readonly NumberedMention[];
  /** File of each entity. */
  readonly fileOf: Uint32Array;
}

export interface Ranking {
  /** Of each file, and of each entity; what is no target of its own has −1. */
  readonly files: Float64Array;
  readonly entities: Float64Array;
}

const targetKinds = new Set(['class', 'function', 'method'].map((kind) => entityKinds.indexOf(kind as (typeof entityKinds)[number])));
const classKind = entityKinds.indexOf('class');

export function rank(input: RankingInput, parameters: RankingParameters): Ranking {
  const { matches, statistics, fileOf } = input;
  const weights = termWeights(input.terms, parameters);
  const lexicalFiles = fileScores(matches, statistics, weights, parameters.file);
  addPaths(lexicalFiles, matches, weights, parameters.path);
  const lexicalEntities = normalized(entityScores(matches, statistics, weights, parameters.entity));
  const best = new Float64Array(matches.paths.length);
  lexicalEntities.forEach((score, entity) => {
    const file = fileOf[entity] as number;
    best[file] = Math.max(best[file] as number, score);
  });
  const named = namedEvidence(input, parameters);
  const share = parameters.bestEntity;
  const files = normalized(lexicalFiles).map((score, file) => (score + share * (best[file] as number)) / (1 + share) + (named.files[file] as number));
  return { files, entities: fusedEntities(input, lexicalEntities, files, named.entities, parameters) };
}

export function termWeights(terms: readonly IssueTerm[], { roles, repetition, joinedWords }: RankingParameters): Float64Array {
  return Float64Array.from(terms, ({ counts, joined }) => {
    const weight = counts.reduce(
      (sum, count, role) => sum + (roles[issueRoles[role] as keyof typeof roles] * count * (1 + repetition)) / (count + repetition),
      0,
    );
    return joined ? weight * joinedWords : weight;
  });
}

function addPaths(scores: Float64Array, { pathTerms }: TermMatches, weights: Float64Array, share: number): void {
  const holding = new Map<number, number>();
  for (const terms of pathTerms) for (const term of new Set(terms)) holding.set(term, (holding.get(term) ?? 0) + 1);
  for (const [file, terms] of pathTerms.entries()) {
    for (const term of new Set(terms)) {
      const rarity = inverseFrequency(pathTerms.length, holding.get(term) as number);
      scores[file] = (scores[file] as number) + share * (weights[term] as number) * rarity;
    }
  }
}

/** To the best of its kind, so that scores of different kinds can be added. */
function normalized(scores: Float64Array): Float64Array {
  const most = scores.reduce((best, score) => Math.max(best, score), 0);
  return most === 0 ? scores : scores.map((score) => score / most);
}

function fusedEntities(
  { matches, fileOf }: RankingInput,
  lexical: Float64Array,
  files: Float64Array,
  named: Float64Array,
  parameters: RankingParameters,
): Float64Array {
  const mostOfFiles = files.reduce((best, score) => Math.max(best, score), 1e-9);
  return lexical.map((score, entity) => {
    const kind = matches.kinds[entity] as number;
    if (!targetKinds.has(kind)) return -1;
    const parent = matches.parents[entity] as number;
    const fromClass = matches.kinds[parent] === classKind ? parameters.ownClass * (lexical[parent] as number) : 0;
    const own = (score + fromClass) * (kind === classKind ? parameters.classScale : 1);
    return own + (parameters.ownFile * (files[fileOf[entity] as number] as number)) / mostOfFiles + (named[entity] as number);
  });
}

interface NamedEvidence {
  readonly files: Float64Array;
  readonly entities: Float64Array;
}

/** The strongest of a file's or an entity's mentions; a name that means several things counts for each by its rarity. */
function namedEvidence({ mentions, matches, fileOf }: RankingInput, { named }: RankingParameters): NamedEvidence {
  const files = new Float64Array(matches.paths.length);
  const entities = new Float64Array(matches.kinds.length);
  const raise = (evidence: Float64Array, at: number, value: number) => {
    evidence[at] = Math.max(evidence[at] as number, value);
  };
  for (const { mention, entities: meant } of mentions) {
    const value = evidenceOf(mention, named) / Math.sqrt(Math.max(meant.length, 1));
    for (const entity of meant) {
      const isFile = (matches.kinds[entity] as number) === 0;
      if (!isFile) raise(entities, entity, value);
      raise(files, fileOf[entity] as number, mention.kind === 'symbol' ? value * named.symbolFile : value);
    }
  }
  return { files, entities };
}

function evidenceOf(mention: IssueMention, named: RankingParameters['named']): number {
  switch (mention.kind) {
    case 'path':
      return named.path;
    case 'traceback':
      return named.frame * named.frameDecay ** mention.depth;
    case 'symbol':
      if (mention.inTitle) return named.titleSymbol;
      return mention.asCode ? named.codeSymbol : named.symbol;
  }
}
