/** @file trajectories/step_*.jsonl: one rollout a line, with the messages, tokens and credit of every turn. Field names: docs/formats.md. */
import { type PerTurn, type TurnCredit, totalReward } from '../../core/gtpo/types.ts';
import type { Trajectory, TrajectoryTurn } from '../../core/rollout/trajectory.ts';
import type { Outcome, StopReason } from '../../core/rollout/types.ts';

export interface TrajectoryLine {
  readonly schema_version: 1;
  readonly run_id: string;
  readonly step: number;
  readonly prompt_id: string;
  readonly group_id: string;
  readonly rollout_id: string;
  readonly sibling: number;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly unknown[];
  readonly turns: readonly TurnLine[];
  readonly outcome: Outcome;
  readonly stop_reason: StopReason;
  /** Sum of all reward parts; null where the trajectory takes no part. */
  readonly reward: number | null;
  readonly trained: boolean;
  readonly excluded_because?: string;
  readonly failure?: string;
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly tool_tokens: number };
  readonly seed: number;
}

/** OpenAI chat message. */
export interface ChatMessage {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly content: string;
  readonly tool_calls?: readonly { readonly id: string; readonly type: 'function'; readonly function: { readonly name: string; readonly arguments: string } }[];
  readonly tool_call_id?: string;
}

export interface TurnLine {
  readonly turn: number;
  readonly weight_version: number;
  readonly finish_reason: string;
  readonly action: TrajectoryTurn['actionKind'];
  readonly text: string;
  /** How many of `token_ids` were given (prompt or observation), not sampled. */
  readonly prompt_len: number;
  readonly token_ids: readonly number[];
  /** One for each sampled token: the last ones of `token_ids`. */
  readonly logprobs: readonly number[];
  readonly loss_mask: readonly (0 | 1)[];
  readonly tool?: ToolLine;
  readonly observation?: string;
  readonly format_violation: boolean;
  readonly replayed: boolean;
  /** null where the trajectory takes no part. */
  readonly reward: { readonly acc: number; readonly format: number; readonly shaping: number } | null;
  readonly return: number | null;
  /** null: not assigned; 0: assigned zero. */
  readonly advantage: number | null;
}

export interface ToolLine {
  readonly code: string;
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly value?: string;
  readonly error_type?: string;
  readonly duration_ms: number;
  readonly timed_out: boolean;
  readonly out_of_memory: boolean;
  readonly truncated: boolean;
}

export interface CreditedTrajectory {
  readonly trajectory: Trajectory;
  /** null where the trajectory takes no part. */
  readonly credit: PerTurn<TurnCredit> | null;
  /** `s12/t3`: step and position of the task in it. */
  readonly groupId: string;
  /** Why it is not trained on; undefined where it is. */
  readonly excludedBecause: string | undefined;
}

const pythonTool = {
  type: 'function',
  function: {
    name: 'python',
    description: 'Runs a cell in the Python session of this rollout.',
    parameters: { type: 'object', properties: { code: { type: 'string' } }, required: ['code'] },
  },
} as const;

export function trajectoryLine({ trajectory, credit, groupId, excludedBecause }: CreditedTrajectory): TrajectoryLine {
  const { turns, failure } = trajectory;
  const count = (tokensOf: (turn: TrajectoryTurn) => number) => turns.reduce((sum, turn) => sum + tokensOf(turn), 0);
  const promptTokens = turns[0]?.givenTokens.length ?? 0;
  return {
    schema_version: 1,
    run_id: trajectory.runId,
    step: trajectory.step,
    prompt_id: trajectory.taskId,
    group_id: groupId,
    rollout_id: `${groupId}/r${trajectory.sibling}`,
    sibling: trajectory.sibling,
    messages: messagesOf(trajectory),
    tools: [pythonTool],
    turns: turns.map((turn, k) => turnLine(turn, credit?.[k])),
    outcome: trajectory.outcome,
    stop_reason: trajectory.stopReason,
    reward: credit?.reduce((sum, { reward }) => sum + totalReward(reward), 0) ?? null,
    trained: excludedBecause === undefined,
    ...(excludedBecause === undefined ? {} : { excluded_because: excludedBecause }),
    ...(failure === undefined ? {} : { failure }),
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: count((turn) => turn.sampledTokens.length),
      tool_tokens: count((turn) => turn.givenTokens.length) - promptTokens,
    },
    seed: trajectory.seed,
  };
}

function messagesOf({ prompt, turns }: Trajectory): ChatMessage[] {
  return [{ role: 'user', content: prompt }, ...turns.flatMap(turnMessages)];
}

/** Code becomes a tool call; what comes back is its answer, or, where there was no call to answer, a message of the user. */
function turnMessages({ turn, text, code, observation }: TrajectoryTurn): ChatMessage[] {
  const id = `call_${turn}`;
  const call = code === undefined ? {} : { tool_calls: [{ id, type: 'function' as const, function: { name: 'python', arguments: JSON.stringify({ code }) } }] };
  const said: ChatMessage = { role: 'assistant', content: text, ...call };
  if (observation === undefined) return [said];
  return [said, code === undefined ? { role: 'user', content: observation } : { role: 'tool', content: observation, tool_call_id: id }];
}

function turnLine(turn: TrajectoryTurn, credit: TurnCredit | undefined): TurnLine {
  const { givenTokens, sampledTokens, execution, observation } = turn;
  return {
    turn: turn.turn,
    weight_version: turn.policyVersion,
    finish_reason: turn.finishReason,
    action: turn.actionKind,
    text: turn.text,
    prompt_len: givenTokens.length,
    token_ids: [...givenTokens, ...sampledTokens],
    logprobs: turn.behaviorLogprobs.map(shortFloat),
    loss_mask: [...givenTokens.map(() => 0 as const), ...sampledTokens.map(() => 1 as const)],
    ...(execution === undefined ? {} : { tool: toolLine(turn.code ?? '', execution) }),
    ...(observation === undefined ? {} : { observation }),
    format_violation: turn.formatViolation,
    replayed: turn.replayed,
    reward: credit === undefined ? null : { acc: credit.reward.accuracy, format: credit.reward.format, shaping: credit.reward.shaping },
    return: credit?.return ?? null,
    advantage: credit?.advantage ?? null,
  };
}

/** Nine significant digits name a float32 exactly, in half the bytes of its float64. */
function shortFloat(value: number): number {
  return Number(value.toPrecision(9));
}

function toolLine(code: string, execution: NonNullable<TrajectoryTurn['execution']>): ToolLine {
  const { value, errorType } = execution;
  return {
    code,
    exit_code: execution.exitCode,
    stdout: execution.stdout,
    stderr: execution.stderr,
    ...(value === undefined ? {} : { value }),
    ...(errorType === undefined ? {} : { error_type: errorType }),
    duration_ms: execution.durationMs,
    timed_out: execution.timedOut,
    out_of_memory: execution.outOfMemory,
    truncated: execution.truncated,
  };
}

/** `step_000012.jsonl` */
export function trajectoryFileName(step: number): string {
  return `step_${String(step).padStart(6, '0')}.jsonl`;
}
