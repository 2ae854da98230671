/** @file The report of one scout: what report.json holds and what report.md and report.html are written from. */
import type { Usage } from './budget.ts';
import type { Finding, Synthesis } from './findings.ts';
import type { ModelChoice, ScoutLimits, ScoutTarget, StageUsage } from './run.ts';
import type { IndexSummary } from './types.ts';

export interface ScoutReport {
  readonly version: 1;
  /** Which method: there are two of the name. */
  readonly method: 'CodeScout, arXiv 2603.05744';
  readonly mode: 'static' | 'model';
  readonly model: Pick<ModelChoice, 'provider' | 'name'> | null;
  readonly repository: {
    /** Null for a plain folder. */
    readonly commit: string | null;
    readonly contentHash: string;
    readonly index: Omit<IndexSummary, 'parsed'>;
  };
  readonly complete: boolean;
  /** What is missing and why; empty in a complete report. */
  readonly notes: readonly string[];
  /** The original statement, byte for byte. */
  readonly original: string;
  readonly sections: Synthesis;
  readonly targets: readonly ReportedTarget[];
  readonly facts: {
    /** Facts that the original states (core/scout/facts.ts). */
    readonly stated: number;
    /** Of those, what the report lacks: always empty, since the original is part of it. */
    readonly lost: readonly string[];
    /** Of those, what the completed description does not repeat. */
    readonly onlyInOriginal: readonly string[];
  };
  /** Names that models or the candidates used and the repository does not have. */
  readonly unresolved: readonly string[];
  readonly relevanceThreshold: number;
  readonly usage: StageUsage & { readonly total: Usage };
  /** US dollars; null where no price was given. */
  readonly cost: { readonly [Stage in keyof StageUsage | 'total']: number } | null;
}

export interface ReportedTarget extends Omit<ScoutTarget, 'finding'> {
  readonly finding?: Omit<Finding, 'target'>;
}

export interface ReportParts {
  readonly model: ModelChoice | null;
  readonly commit: string | null;
  readonly contentHash: string;
  readonly summary: IndexSummary;
  readonly original: string;
  readonly targets: readonly ScoutTarget[];
  /** By target id. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** Absent: the sections are made of targets and findings. */
  readonly synthesis?: Synthesis;
  readonly unresolved: readonly string[];
  readonly notes: readonly string[];
  readonly usage: StageUsage;
  readonly limits: ScoutLimits;
}
