/** @file What `train` knows of its run: the answer to the progress query, the table in its current details, its search attributes. */
import { condition, setCurrentDetails } from '@temporalio/workflow';
import type { PolicyRef } from '../core/rollout/types.ts';
import { hyperparametersOf } from '../core/run/hyperparameters.ts';
import type {
  EvaluationResult,
  Hyperparameters,
  Metrics,
  Phase,
  PreparedRun,
  Progress,
  StepResult,
  TrainCarry,
  TrainInput,
  TrainResult,
} from '../core/run/types.ts';
import { announce } from './attributes.ts';
import { figure, table } from './details.ts';
import { type ChildReport, pausedReason } from './messages.ts';
import { waitingDetails } from './parking.ts';

export class RunState {
  readonly #input: TrainInput;
  phase: Phase = 'preparing';
  reason: string | undefined;
  step = 0;
  warmupStep = 0;
  /** Before `prepareRun` has answered there is none. */
  policy: PolicyRef | undefined;
  hyperparameters: Hyperparameters;
  paused = false;
  before: readonly EvaluationResult[] = [];
  after: readonly EvaluationResult[] = [];
  metrics: Metrics = {};
  warnings: readonly string[] = [];
  #parked = false;
  #changed: Partial<Hyperparameters> = {};

  constructor(input: TrainInput) {
    this.#input = input;
    this.hyperparameters = hyperparametersOf(input.config);
    if (input.carry !== undefined) this.#goOn(input.carry);
  }

  #goOn({ step, policy, hyperparameters, paused, before, after, metrics, warnings = [] }: TrainCarry): void {
    this.warmupStep = this.#input.config.warmup.steps;
    this.step = step;
    this.policy = policy;
    this.hyperparameters = hyperparameters;
    this.paused = paused;
    this.before = before;
    this.after = after;
    this.metrics = metrics;
    this.warnings = warnings;
  }

  prepared({ policy, warmupStep, step, before, hyperparameters, warnings }: PreparedRun): void {
    // What an operator has set while this attempt was preparing is newer than what an earlier one left.
    this.hyperparameters = { ...this.hyperparameters, ...hyperparameters, ...this.#changed };
    this.policy = policy;
    this.warmupStep = warmupStep;
    this.step = step;
    this.before = before;
    this.warnings = [...this.warnings, ...warnings];
  }

  warmedUp(policy: PolicyRef): void {
    this.policy = policy;
    this.warmupStep = this.#input.config.warmup.steps;
  }

  stepped(step: number, { policy, metrics }: StepResult): void {
    this.step = step;
    this.policy = policy;
    this.metrics = metrics;
  }

  enter(phase: Phase, reason?: string): void {
    this.phase = phase;
    this.reason = reason;
    announce({ run: this.#input.run, phase, step: this.step, ...this.#announced() });
    this.#show();
  }

  #announced(): { readonly policyVersion?: number; readonly reward?: number | undefined } {
    return { ...(this.policy === undefined ? {} : { policyVersion: this.policy.policyVersion }), reward: this.metrics['reward/mean'] };
  }

  /** A child's report; only a wait for people, and its end, are worth an event of their own. */
  heard(report: ChildReport): void {
    const waits = (phase: Phase) => phase === 'waiting-for-operator' || phase === 'paused';
    if (report.metrics !== undefined) this.metrics = report.metrics;
    if (report.warmupStep !== undefined) this.warmupStep = report.warmupStep;
    if (waits(report.phase) || waits(this.phase)) {
      this.enter(report.phase, report.reason);
    } else {
      this.phase = report.phase;
      this.#show();
    }
  }

  /** Waits for `resume`, then goes back to the phase before. */
  readonly park = async (reason: string): Promise<void> => {
    const { phase } = this;
    this.#parked = true;
    this.enter('waiting-for-operator', reason);
    await condition(() => !this.#parked);
    this.enter(phase);
  };

  async whilePaused(): Promise<void> {
    if (!this.paused) return;
    this.enter('paused', pausedReason);
    await condition(() => !this.paused);
  }

  change(change: Partial<Hyperparameters>): Hyperparameters {
    this.#changed = { ...this.#changed, ...change };
    this.hyperparameters = { ...this.hyperparameters, ...change };
    return this.hyperparameters;
  }

  resume(): void {
    this.paused = false;
    this.#parked = false;
  }

  progress(): Progress {
    const { config, run } = this.#input;
    return {
      run,
      phase: this.phase,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      step: this.step,
      steps: config.training.steps,
      warmupStep: this.warmupStep,
      warmupSteps: config.warmup.steps,
      policyVersion: this.policy?.policyVersion ?? 0,
      hyperparameters: this.hyperparameters,
      metrics: this.metrics,
      before: this.before,
      after: this.after,
      ...this.#warned(),
    };
  }

  result(): TrainResult {
    const { phase, reason, step, policy, before, after } = this;
    return {
      run: this.#input.run,
      phase,
      steps: step,
      before,
      after,
      ...(policy === undefined ? {} : { policy }),
      ...(reason === undefined ? {} : { reason }),
    };
  }

  carry(): TrainCarry {
    const { step, hyperparameters, paused, before, after, metrics } = this;
    return { step, policy: this.currentPolicy(), hyperparameters, paused, before, after, metrics, ...this.#warned() };
  }

  #warned(): { readonly warnings?: readonly string[] } {
    return this.warnings.length === 0 ? {} : { warnings: this.warnings };
  }

  currentPolicy(): PolicyRef {
    if (this.policy === undefined) throw new Error(`run ${this.#input.run}: expected a policy after prepareRun, got none`);
    return this.policy;
  }

  #show(): void {
    const { phase, step, policy, metrics } = this;
    const { training, warmup } = this.#input.config;
    const head = ['phase', 'warm-up', 'step', 'reward', 'solved', 'KL', 'policy version'];
    const steps = [`${this.warmupStep} of ${warmup.steps}`, `${step} of ${training.steps}`];
    const row = [phase, ...steps, figure(metrics['reward/mean']), figure(metrics['solved/mean']), figure(metrics['kl']), policy?.policyVersion];
    const why = phase === 'waiting-for-operator' ? waitingDetails(this.reason ?? '') : (this.reason ?? '');
    setCurrentDetails(
      [table(head, [row]), why, ...this.warnings.map((warning) => `**Warning:** ${warning}`), this.#evaluations()].filter((part) => part !== '').join('\n\n'),
    );
  }

  #evaluations(): string {
    const rows = [...this.before.map((one) => ['before', one] as const), ...this.after.map((one) => ['after', one] as const)];
    if (rows.length === 0) return '';
    const shown = rows.map(([when, one]) => [when, one.mode, one.policyVersion, figure(one.solvedShare), figure(one.standardError), figure(one.meanTurns)]);
    return table(['held-out', 'mode', 'policy version', 'solved share', 'standard error', 'turns'], shown);
  }
}
