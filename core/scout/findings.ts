/** @file What an analysis says of one target, what a synthesis is made of, and the filter between the two. */
import type { EntityId, Span } from './types.ts';

/** A place that a claim points to, as the index has it: never as a model wrote it. */
export interface Place {
  readonly file: string;
  readonly span: Span;
  /** Absent: the file as a whole. */
  readonly entity?: EntityId;
}

export interface FixLocation extends Place {
  readonly reason: string;
  /** 0 to 1. */
  readonly confidence: number;
}

/** The analysis of one target, after its names were checked against the index. */
export interface Finding {
  readonly target: string;
  readonly place: Place;
  /** What the target has to do with the issue. */
  readonly role: string;
  readonly locations: readonly FixLocation[];
  readonly insights: readonly string[];
  /** Other causes that the source does not rule out. */
  readonly alternatives: readonly string[];
  /** 0 to 1, on the scale that the prompt anchors. */
  readonly relevance: number;
  /** Names that were removed because the repository does not have them. */
  readonly unresolved: readonly string[];
}

/** A sentence and where it comes from. */
export interface SourcedText {
  readonly text: string;
  /** Null: the original statement. */
  readonly place: Place | null;
}

export interface NamedPlace extends Place {
  readonly reason: string;
}

export interface ReproductionStep {
  readonly text: string;
  /** Empty where there is none. */
  readonly code: string;
}

export interface ImplementationHint {
  readonly text: string;
  readonly code: string;
  readonly place: Place;
}

/** The sections of the report that are not the original statement, every name checked. */
export interface Synthesis {
  readonly title: string;
  readonly description: readonly SourcedText[];
  readonly reproduction: readonly ReproductionStep[];
  readonly expected: readonly string[];
  readonly files: readonly NamedPlace[];
  readonly entities: readonly NamedPlace[];
  readonly locations: readonly FixLocation[];
  readonly hints: readonly ImplementationHint[];
  readonly unresolved: readonly string[];
}

/**
 * Relevance that a finding must reach (docs/decisions/0024). The prompt anchors the scale: 0.5 is "must be understood to resolve the issue",
 * 0.25 "same area, not needed", 0.75 "probably changes".
 */
export const defaultRelevance = 0.5;

/** Cap on what scoping may name; the prompt asks for five to ten. */
export const mostTargets = 15;

export function isRelevant(finding: Pick<Finding, 'relevance'>, threshold: number): boolean {
  return finding.relevance >= threshold;
}
