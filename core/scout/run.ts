/** @file What the workflow `scout` and its activities pass to one another. Readonly, JSON-safe, small: texts and findings travel by reference. */
import type { ArtifactRef, Text } from '../rollout/types.ts';
import type { Usage } from './budget.ts';
import type { EntityKind, IndexedRepository, RepositorySource, ScopeTarget, Span, StaticScope } from './types.ts';

export const modelProviders = ['openai', 'anthropic', 'google', 'compatible'] as const;
export type ModelProvider = (typeof modelProviders)[number];

/** Which model answers. Keys are never part of it: workers read them from their environment. */
export interface ModelChoice {
  readonly provider: ModelProvider;
  /** As the provider spells it. */
  readonly name: string;
  /** Of `compatible`: where the server answers, for example `http://127.0.0.1:8080/v1`. */
  readonly baseUrl?: string;
  /** US dollars per million tokens, where the user said so: prices change, and none is built in. */
  readonly price?: TokenPrice;
}

export interface TokenPrice {
  readonly input: number;
  readonly output: number;
}

export interface ScoutLimits {
  /** Input and output tokens of all model calls together. */
  readonly tokens: number;
  /** Needs a price; null: none. */
  readonly dollars: number | null;
  /** Targets that are analysed. */
  readonly targets: number;
  /** Analyses in flight. */
  readonly concurrency: number;
  /** Findings below this relevance are left out of the synthesis. */
  readonly relevance: number;
}

export interface ScoutInput {
  /** Name of the scout: its records lie under `scouts/<scout>`, its workflow is `scout/<scout>`. */
  readonly scout: string;
  readonly repository: RepositorySource;
  readonly issue: Text;
  /** Null: static, no model at all. */
  readonly model: ModelChoice | null;
  readonly limits: ScoutLimits;
}

export type ScoutPhase = 'indexing' | 'scoping' | 'analyzing' | 'synthesizing' | 'reporting' | 'completed' | 'partial';

/** Where one target stands. */
export type TargetState =
  /** Found by scoping, not looked at yet. */
  | 'found'
  | 'analyzing'
  /** Its finding goes into the synthesis. Without a model: every target. */
  | 'kept'
  /** Its relevance is below the threshold. */
  | 'filtered'
  /** No usable analysis: the reason says why. */
  | 'dropped'
  /** The budget ended before it. */
  | 'unaffordable';

/** One exploration target and what became of it. */
export interface ScoutTarget {
  /** `T1`, `T2`, …: how prompts and progress name it. */
  readonly id: string;
  readonly file: string;
  readonly entity: string;
  readonly kind: EntityKind;
  readonly span: Span;
  readonly signature: string;
  /** Why scoping named it. */
  readonly reason: string;
  readonly state: TargetState;
  /** Judged by the analysis, 0 to 1. */
  readonly relevance?: number;
  /** Why it was dropped. */
  readonly failure?: string;
  /** JSON of the Finding. */
  readonly finding?: ArtifactRef;
}

/** Answer of the progress query. */
export interface ScoutProgress {
  readonly scout: string;
  readonly phase: ScoutPhase;
  readonly commit?: string | null;
  readonly files?: number;
  readonly targets: readonly ScoutTarget[];
  readonly usage: StageUsage;
  /** What is missing from the report, and why. */
  readonly notes: readonly string[];
}

export interface StageUsage {
  readonly scope: Usage;
  readonly analyze: Usage;
  readonly synthesize: Usage;
}

export interface ScopeCallInput {
  readonly scout: string;
  readonly model: ModelChoice;
  readonly issue: Text;
  /** Where the call starts from. */
  readonly candidates: StaticScope;
}

export interface ScopeCallResult {
  /** At most `mostTargets`, each in the index, in the model's order. */
  readonly targets: readonly Pick<ScopeTarget, 'file' | 'entity' | 'kind' | 'span' | 'signature' | 'reason'>[];
  /** Names that the index does not know. */
  readonly unresolved: readonly string[];
  readonly usage: Usage;
}

export interface AnalyzeInput {
  readonly scout: string;
  readonly model: ModelChoice;
  readonly issue: Text;
  readonly repository: IndexedRepository;
  readonly target: ScoutTarget;
}

export interface AnalyzeResult {
  readonly finding: ArtifactRef;
  readonly relevance: number;
  readonly usage: Usage;
}

export interface SynthesizeInput {
  readonly scout: string;
  readonly model: ModelChoice;
  readonly issue: Text;
  readonly repository: IndexedRepository;
  /** Those that were kept. */
  readonly targets: readonly ScoutTarget[];
}

export interface SynthesizeResult {
  /** JSON of the Synthesis. */
  readonly synthesis: ArtifactRef;
  readonly usage: Usage;
}

export interface WriteScoutReportInput {
  readonly scout: string;
  readonly model: ModelChoice | null;
  readonly issue: Text;
  readonly repository: IndexedRepository;
  readonly targets: readonly ScoutTarget[];
  /** Absent: the report is made of the targets and findings alone. */
  readonly synthesis?: ArtifactRef;
  /** Names that scoping could not find. */
  readonly unresolved: readonly string[];
  readonly notes: readonly string[];
  readonly usage: StageUsage;
  readonly limits: ScoutLimits;
}

export interface WriteScoutReportResult {
  /** Of report.md: the same inputs give the same bytes. */
  readonly markdown: ArtifactRef;
  readonly unresolved: number;
}

export interface ScoutResult {
  readonly scout: string;
  readonly phase: 'completed' | 'partial';
  readonly commit: string | null;
  readonly targets: { readonly found: number; readonly analyzed: number; readonly kept: number };
  readonly unresolved: number;
  readonly usage: StageUsage;
  readonly notes: readonly string[];
  readonly markdown: ArtifactRef;
}
