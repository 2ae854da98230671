/** @file Static scoping: from an issue to ranked files and targets, without a model. Deterministic: every tie is broken by path and line. */
import { statisticsOf } from './bm25f.ts';
import { type ImportNeighbour, importNeighbours } from './importNeighbours.ts';
import { issueTermsOf } from './issueTerms.ts';
import { type IssueSpan, spansOf } from './issueText.ts';
import { mentionsOf } from './mentions.ts';
import { isTestPath } from './paths.ts';
import { type NumberedMention, type Ranking, type RankingInput, rank, termWeights } from './ranking.ts';
import type { RankingParameters } from './rankingParameters.ts';
import { rankingDefaults } from './rankingParameters.ts';
import { Reasons, type WordOf } from './reasons.ts';
import type { FileIndex } from './repositoryIndex.ts';
import { type ResolvedMention, resolveMentions } from './resolveMentions.ts';
import { termsOf } from './subtokens.ts';
import { matchesOf } from './termMatches.ts';
import type { Entity, Mention, ScopeFile, ScopeTarget, StaticScope } from './types.ts';

export interface ScopeLimits {
  readonly targets: number;
  readonly files: number;
}

export const scopeDefaults: ScopeLimits = { targets: 15, files: 20 };
export const scopeMost: ScopeLimits = { targets: 60, files: 60 };
const mostMentions = 40;
const mostMeanings = 5;

export function staticScope(
  index: FileIndex,
  issue: string,
  limits: ScopeLimits = scopeDefaults,
  parameters: RankingParameters = rankingDefaults,
): StaticScope {
  const spans = spansOf(issue);
  const resolved = resolveMentions(index, mentionsOf(spans));
  const { input, entities } = rankingInput(index, spans, resolved);
  const ranking = rank(input, parameters);
  const reasons = new Reasons(input, termWeights(input.terms, parameters), wordsOf(input, spans));
  const files = filesOf(ranking, input, reasons, limits.files);
  const targets = targetsOf(ranking, entities, reasons, limits.targets);
  const rankedPaths = files.map(({ file }) => file);
  const hasRoom = files.length < limits.files || targets.length < limits.targets;
  // The table of imports takes a while in a large repository, where all places are taken as a rule.
  const neighbours = hasRoom ? importNeighbours(index, rankedPaths, parameters.imports) : [];
  return {
    repository: index.repository,
    files: filled(files, limits.files, neighbours.map(neighbourFile)),
    targets: filled(
      targets,
      limits.targets,
      neighbours.map((neighbour) => neighbourTarget(index, neighbour)),
    ),
    mentions: resolved.map(mentionOf).slice(0, mostMentions),
  };
}

export interface PreparedRanking {
  readonly input: RankingInput;
  /** By their numbers in the input. */
  readonly entities: readonly Entity[];
}

export function rankingInput(index: FileIndex, spans: readonly IssueSpan[], resolved: readonly ResolvedMention[]): PreparedRanking {
  const terms = issueTermsOf(spans);
  const matches = matchesOf(
    index,
    terms.map(({ term }) => term),
  );
  const entities: Entity[] = [];
  const fileOf = new Uint32Array(matches.kinds.length);
  const numbers = new Map<string, number>();
  for (const [file, path] of matches.paths.entries()) {
    const first = matches.firstEntity[file] as number;
    const end = matches.firstEntity[file + 1] as number;
    fileOf.fill(file, first, end);
    for (const entity of index.entitiesOf(path).slice(0, end - first)) {
      numbers.set(entity.id, entities.length);
      entities.push(entity);
    }
  }
  const mentions = resolved.map(({ mention, entities: meant }): NumberedMention => ({ mention, entities: meant.flatMap(({ id }) => numbers.get(id) ?? []) }));
  return { input: { terms, matches, statistics: statisticsOf(matches, terms.length), mentions, fileOf }, entities };
}

/** Highest first; equal scores in the order of paths and lines, which is that of the numbers. */
export function bestOf(scores: Float64Array, most: number): number[] {
  const positive = [...scores.keys()].filter((number) => (scores[number] as number) > 0);
  return positive.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b).slice(0, most);
}

function filesOf({ files }: Ranking, { matches }: RankingInput, reasons: Reasons, most: number): ScopeFile[] {
  return bestOf(files, most).map((file, position) => ({
    rank: position + 1,
    file: matches.paths[file] as string,
    relevance: rounded(files[file] as number),
    reason: reasons.ofFile(file),
  }));
}

function targetsOf(ranking: Ranking, entities: readonly Entity[], reasons: Reasons, most: number): ScopeTarget[] {
  return bestOf(ranking.entities, most).map((number, position): ScopeTarget => {
    const { id, file, kind, span, signature } = entities[number] as Entity;
    return {
      rank: position + 1,
      file,
      entity: id,
      kind,
      span,
      signature,
      relevance: rounded(ranking.entities[number] as number),
      reason: reasons.ofEntity(number),
    };
  });
}

/** Their files are neighbours by import, not by words: nothing says how relevant they are. */
function neighbourFile({ file, reason }: ImportNeighbour): Omit<ScopeFile, 'rank'> {
  return { file, relevance: 0, reason };
}

function neighbourTarget(index: FileIndex, { file, reason }: ImportNeighbour): Omit<ScopeTarget, 'rank'> {
  const { id, kind, span, signature } = index.entity(file) as Entity;
  return { file, entity: id, kind, span, signature, relevance: 0, reason };
}

/** What was ranked stays as it is, in front. */
function filled<Ranked extends { readonly rank: number }>(ranked: readonly Ranked[], most: number, others: readonly Omit<Ranked, 'rank'>[]): Ranked[] {
  const fitting = others.slice(0, most - ranked.length);
  return [...ranked, ...fitting.map((other, position) => ({ ...other, rank: ranked.length + position + 1 }) as Ranked)];
}

/** Floating-point sums differ in their last bits between processors; a report is compared byte for byte. */
function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}

function mentionOf({ mention, entities }: ResolvedMention): Mention {
  return {
    text: mention.text,
    kind: mention.kind,
    entities: entities
      .filter(({ file }) => !isTestPath(file))
      .slice(0, mostMeanings)
      .map(({ id }) => id),
  };
}

/** The first word of the issue that has the term. */
function wordsOf({ terms }: RankingInput, spans: readonly IssueSpan[]): WordOf {
  const words = new Map<string, string>();
  for (const { text } of spans) {
    for (const word of text.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []) for (const term of termsOf(word)) if (!words.has(term)) words.set(term, word);
  }
  return (term) => words.get(terms[term]?.term ?? '') ?? terms[term]?.term ?? '';
}
