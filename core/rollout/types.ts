/**
 * @file The wire contract: every type that crosses a process boundary during a rollout. Readonly, JSON-safe, imports nothing.
 * Axes in comments: G siblings of a group, K turns, T tokens.
 */

/** Bytes kept in the artifact store: sha-256 of the content (hex) and its size. */
export interface ArtifactRef {
  readonly sha256: string;
  readonly byteLength: number;
}

/** Bytes inside a payload while they are small (base64), by reference when they are not. */
export type Bytes = { readonly base64: string } | { readonly ref: ArtifactRef };

/** UTF-8 text inside a payload while it is small, by reference when it is not. */
export type Text = { readonly text: string } | { readonly ref: ArtifactRef };

export type Split = 'train' | 'heldOut';

/** Names one task for ever: procedural families make it from the index, files read it at the index. */
export interface TaskRef {
  /** Name of an entry of `tasks` in the run's configuration. */
  readonly source: string;
  readonly split: Split;
  readonly index: number;
}

/** What a workflow must know of a task; the rest stays with the activities, which make it from the reference. */
export interface TaskCard {
  readonly ref: TaskRef;
  /** `chain/train/17` */
  readonly id: string;
  readonly family: string;
  /** First 120 characters of the prompt, for people. */
  readonly summary: string;
  readonly maxTurns: number;
  /** Tokens of the whole trajectory: prompt, sampled tokens and observations. */
  readonly tokenBudget: number;
  /** True where a first turn without code is a format violation. */
  readonly toolRequired: boolean;
  /** How a malformed turn is answered (core/rollout/observation.ts); absent is `terse`. */
  readonly observationStyle?: 'terse' | 'full';
}

/** Which weights sample: a checkpoint and the number that grows by one with every update. */
export interface PolicyRef {
  readonly policyVersion: number;
  /** Directory below the run's directory, for example `checkpoints/global_step_12`. */
  readonly checkpoint: string;
  /** sha-256 of the checkpoint's MANIFEST.json. */
  readonly manifestSha256: string;
}

export interface Sampling {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 keeps every token. */
  readonly topK: number;
  /** 1 keeps every token. */
  readonly topP: number;
  readonly maxTokensPerTurn: number;
}

export type FinishReason =
  /** The policy sampled its end-of-turn token. */
  | 'stop'
  /** `maxTokensPerTurn` or the trajectory's token budget ran out first. */
  | 'length';

/** What a turn's text asks for. */
export type Action =
  /** `text`: the whole turn, where it says more than the tags around its content. */
  | { readonly kind: 'code'; readonly code: Text; readonly text?: Text }
  | { readonly kind: 'answer'; readonly answer: Text; readonly text?: Text }
  | { readonly kind: 'malformed'; readonly reason: string; readonly text: Text };

export interface GenerateInput {
  readonly run: string;
  readonly policy: PolicyRef;
  readonly task: TaskRef;
  readonly sibling: number;
  /** From 0. */
  readonly turn: number;
  /** Derived from (run seed, step, task, sibling, turn): see core/rollout/seeds.ts. */
  readonly seed: number;
  /** Encoded token segments of the turns so far, in order (core/rollout/ledger.ts). Empty on turn 0: the activity renders the prompt. */
  readonly segments: readonly Bytes[];
  /** What came back from turn − 1; absent on turn 0. Tokenised once, here. */
  readonly observation?: Text;
  readonly sampling: Sampling;
  readonly tokenBudget: number;
}

/** Weights of few bits: they answer and are measured. What they sample is never trained on. */
export type QuantisedWeights = 'int8' | 'int4';

export interface GenerateForEvaluationInput extends GenerateInput {
  readonly weights: QuantisedWeights;
}

export interface GenerateResult {
  /** This turn's tokens: those given before sampling (prompt or observation), then the sampled ones with their log-probabilities. */
  readonly segment: Bytes;
  readonly sampledTokens: number;
  /** T so far, this turn's sampled tokens included. */
  readonly contextTokens: number;
  readonly finishReason: FinishReason;
  readonly action: Action;
}

/** Where a rollout's sandbox lives: the queue of the worker that holds it, and its id there. */
export interface SandboxRef {
  readonly taskQueue: string;
  readonly id: string;
  /** `embedded` or `docker`, as shown to people. */
  readonly backend: string;
}

export interface ExecutionLimits {
  /** By the clock of a machine with nothing else to do: a cell that had to wait for a processor is not cut off for it. */
  readonly wallMs: number;
  readonly memoryMiB: number;
  readonly outputBytes: number;
  /** Processor time of the code and all that it starts; absent is as much as `wallMs`. Only where the backend can measure it. */
  readonly cpuMs?: number;
}

/** A run of code in a sandbox. Code that fails is a result of the same shape; only a broken sandbox is an error. */
export interface ExecutionResult {
  /** 0 when the cell ran to its end, 1 when it raised, null when it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** `repr` of the cell's last expression; absent when there is none or it is None. */
  readonly value?: string;
  /** Name of the exception class that ended the cell, for example `KeyError`. */
  readonly errorType?: string;
  readonly timedOut: boolean;
  readonly outOfMemory: boolean;
  /** Some output was dropped at `outputBytes`. */
  readonly truncated: boolean;
  readonly durationMs: number;
  /** Where the backend measures more. Differs from run to run, so no policy sees it, and records leave it out. */
  readonly details?: ExecutionDetails;
}

/** Measured outside the process that ran the code. */
export interface ExecutionDetails {
  readonly status: 'ok' | 'exception' | 'exit' | 'signal' | 'timeout' | 'oom' | 'outputLimit';
  /** What has become of the session; `ended` where there was none. */
  readonly state: 'committed' | 'rolledBack' | 'lost' | 'ended';
  readonly timeoutOf?: 'wall' | 'cpu';
  /** That ended the process, `SIGSEGV`. */
  readonly signal: string | null;
  /** Whether the program came to the end of its own file or raised, rather than ending its process behind the interpreter's back. */
  readonly reported: boolean;
  readonly queueMs: number;
  readonly cpuMs: number;
  readonly cleanupMs: number;
  /** Largest resident set of one process; null when it could not be read. */
  readonly peakMemoryBytes: number | null;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly oomKills: number;
  /** Processes that were left behind, and killed. */
  readonly strayProcesses: number;
  readonly box: string;
}

export interface ExecuteInput {
  readonly run: string;
  readonly task: TaskRef;
  /** `<workflow id>/r<sibling>`: owner of the sandbox. */
  readonly rollout: string;
  readonly turn: number;
  /** Absent: open a sandbox here. */
  readonly sandbox?: SandboxRef;
  /** Cells that this rollout has committed, in order: replayed when the sandbox has to be opened again. */
  readonly committedCells: readonly Text[];
  readonly code: Text;
}

export interface ExecuteResult {
  readonly sandbox: SandboxRef;
  readonly execution: ExecutionSummary;
  /** Text for the policy, made from the execution by the task's rule and capped. */
  readonly observation: Text;
  /** The sandbox was opened anew and the committed cells were run again. */
  readonly replayed: boolean;
  /** Whether the cell changed the session (a killed cell did not). */
  readonly committed: boolean;
  /** The task's own rule says that this execution ended the trajectory (family `search`: a hit). */
  readonly ended: boolean;
}

/** What workflows keep of an execution; the full result is behind `result`. */
export interface ExecutionSummary {
  readonly exitCode: number | null;
  readonly errorType?: string;
  readonly timedOut: boolean;
  readonly outOfMemory: boolean;
  readonly truncated: boolean;
  readonly durationMs: number;
  /** JSON of the ExecutionResult. */
  readonly result: Text;
}

/** Why a trajectory ended. */
export type StopReason =
  /** The policy gave its answer. */
  | 'submitted'
  /** The task's own rule ended it after an execution. */
  | 'ended'
  | 'maxTurns'
  | 'tokenBudget'
  /** A turn ran into `maxTokensPerTurn` without an end-of-turn token. */
  | 'turnLength'
  /** The prompt left no room for a first turn in the policy's context. */
  | 'contextLength'
  /** The rollout's wall-clock limit. */
  | 'timeout'
  /** `generate` failed for good. */
  | 'modelError'
  /** `execute` failed for good. */
  | 'infraError'
  | 'cancelled';

/** How a trajectory counts. The last three never become a reward. */
export type Outcome = 'solved' | 'failed' | 'truncated' | 'model_error' | 'infra_error' | 'cancelled';

export interface PlayedTurn {
  readonly turn: number;
  readonly policyVersion: number;
  readonly segment: Bytes;
  readonly sampledTokens: number;
  readonly finishReason: FinishReason;
  readonly action: Action;
  readonly execution?: ExecutionSummary;
  readonly observation?: Text;
  readonly formatViolation: boolean;
  readonly replayed: boolean;
}

/** A rollout as the workflow leaves it, before it is graded. */
export interface PlayedRollout {
  readonly sibling: number;
  readonly task: TaskRef;
  readonly seed: number;
  readonly stopReason: StopReason;
  readonly turns: readonly PlayedTurn[];
  /** Why, when stopReason is modelError, infraError or cancelled. */
  readonly failure?: string;
  /** The policy could not be loaded because its checkpoint is not what it was: says nothing about this rollout. */
  readonly checkpointRefused?: boolean;
}

export interface GradeInput {
  readonly run: string;
  readonly step: number;
  readonly rollouts: readonly PlayedRollout[];
}

/** One graded trajectory, as workflows see it. */
export interface TrajectorySummary {
  readonly sibling: number;
  readonly taskId: string;
  readonly outcome: Outcome;
  readonly stopReason: StopReason;
  /** 1 solved, 0 failed or truncated, null where no reward exists. */
  readonly outcomeReward: number | null;
  readonly turns: number;
  readonly sampledTokens: number;
  readonly formatViolations: number;
  /** What failed for good, when the machinery did; added by the workflow. */
  readonly failure?: string;
}

export interface GradeResult {
  /** JSON lines of Trajectory (core/rollout/trajectory.ts), one a rollout, in the order of the input. */
  readonly trajectories: ArtifactRef;
  readonly summaries: readonly TrajectorySummary[];
}
