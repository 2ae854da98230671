/** @file The signature of every activity, by the worker role that runs it. Workflows import these types and nothing else from here. */
import type {
  ExecuteInput,
  ExecuteResult,
  GenerateForEvaluationInput,
  GenerateInput,
  GenerateResult,
  GradeInput,
  GradeResult,
  SandboxRef,
  TaskCard,
} from '../core/rollout/types.ts';
import type {
  CreditInput,
  CreditResult,
  DrawTasksInput,
  PreparedRun,
  PrepareInput,
  RecordEvaluationInput,
  RecordStepInput,
  UpdateInput,
  UpdateResult,
  WarmupInput,
  WriteReportInput,
} from '../core/run/types.ts';
import type {
  AnalyzeInput,
  AnalyzeResult,
  ScopeCallInput,
  ScopeCallResult,
  SynthesizeInput,
  SynthesizeResult,
  WriteScoutReportInput,
  WriteScoutReportResult,
} from '../core/scout/run.ts';
import type { RepositoryActivities } from '../core/scout/types.ts';

/** Task queue `turnwise`: light work beside the workflows. */
export interface LightActivities {
  drawTasks(input: DrawTasksInput): Promise<readonly TaskCard[]>;
  /** Outcome of every rollout by its task's checker; writes the trajectories as one artifact. */
  grade(input: GradeInput): Promise<GradeResult>;
  /** Rewards, returns and advantages per turn; writes trajectories/step_*.jsonl, the ledger and the training batch. Idempotent per (run, step). */
  advantages(input: CreditInput): Promise<CreditResult>;
  /** One line of metrics.jsonl and its TensorBoard event. Idempotent per (run, kind, step). */
  recordStep(input: RecordStepInput): Promise<void>;
  recordEvaluation(input: RecordEvaluationInput): Promise<void>;
  /** Writes status.json and report.html, from what is on disk. May be repeated. */
  writeReport(input: WriteReportInput): Promise<void>;
}

/** Task queue `turnwise-policy`. */
export interface PolicyActivities {
  /** With the weights that are trained: the only way to a rollout that is trained on. */
  generate(input: GenerateInput): Promise<GenerateResult>;
  /** With quantised weights. `advantages` refuses what was sampled so. */
  generateForEvaluation(input: GenerateForEvaluationInput): Promise<GenerateResult>;
}

/** Task queue `turnwise-sandbox` and the own queue of each sandbox worker. */
export interface SandboxActivities {
  /** Runs one cell; opens a sandbox when the input names none or when the named one is gone. */
  execute(input: ExecuteInput): Promise<ExecuteResult>;
  /** Idempotent. */
  closeSandboxes(input: { readonly sandboxes: readonly SandboxRef[] }): Promise<void>;
}

/** Task queue `turnwise-trainer`: one slot per device. */
export interface TrainerActivities {
  /** Validates what is on disk, writes config.json, makes global_step_0 or finds the newest complete checkpoint. */
  prepareRun(input: PrepareInput): Promise<PreparedRun>;
  /** Supervised steps on demonstrations. Idempotent per (run, toStep). */
  warmUp(input: WarmupInput): Promise<UpdateResult>;
  /** One optimiser step and its checkpoint. Idempotent per (run, step). */
  update(input: UpdateInput): Promise<UpdateResult>;
}

/**
 * Task queue `turnwise-scout`. The three that call a model make one call an attempt at most and find every answered one in the scout's records, so
 * each is idempotent per (scout, input).
 */
export interface ScoutActivities extends RepositoryActivities {
  /** Chooses exploration targets among the static candidates, each in the index. */
  scope(input: ScopeCallInput): Promise<ScopeCallResult>;
  /** Role, fix locations, insights, alternatives and relevance of one target. */
  analyze(input: AnalyzeInput): Promise<AnalyzeResult>;
  /** The sections of the enriched statement, from the findings that were kept. */
  synthesize(input: SynthesizeInput): Promise<SynthesizeResult>;
  /** report.md, report.json and report.html. */
  writeScoutReport(input: WriteScoutReportInput): Promise<WriteScoutReportResult>;
}
