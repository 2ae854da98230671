/** @file The answers that the prompts ask for, as models write them: right in form (activities/scout/answerSchemas.ts), not yet checked against the index. */

export interface NamedTarget {
  readonly file: string;
  readonly entity: string;
  readonly reason: string;
}

export interface ConfidentTarget extends NamedTarget {
  readonly confidence: number;
}

export interface ScopeAnswer {
  readonly targets: readonly NamedTarget[];
}

export interface AnalysisAnswer {
  readonly role: string;
  readonly locations: readonly ConfidentTarget[];
  readonly insights: readonly string[];
  readonly alternatives: readonly string[];
  readonly relevance: number;
}

export interface SynthesisAnswer {
  readonly title: string;
  /** `source`: `issue`, or the id of a finding. */
  readonly description: readonly { readonly text: string; readonly source: string }[];
  readonly reproduction: readonly { readonly text: string; readonly code: string }[];
  readonly expected: readonly string[];
  readonly files: readonly NamedTarget[];
  readonly entities: readonly NamedTarget[];
  readonly locations: readonly ConfidentTarget[];
  readonly hints: readonly { readonly text: string; readonly code: string; readonly source: string }[];
}
