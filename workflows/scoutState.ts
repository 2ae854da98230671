/** @file What `scout` knows of itself: the answer to the progress query, the table of targets in its current details, its search attributes. */
import { setCurrentDetails } from '@temporalio/workflow';
import { dollarsOf, grouped, noUsage, type Stage, sumOfUsage, tokensOf, type Usage } from '../core/scout/budget.ts';
import type { ScoutInput, ScoutPhase, ScoutProgress, ScoutResult, ScoutTarget, StageUsage, TargetState, WriteScoutReportResult } from '../core/scout/run.ts';
import type { IndexedRepository, ScopeTarget } from '../core/scout/types.ts';
import { announce } from './attributes.ts';
import { figure, table } from './details.ts';

export type FoundTarget = Pick<ScopeTarget, 'file' | 'entity' | 'kind' | 'span' | 'signature' | 'reason'>;

export class ScoutState {
  readonly #input: ScoutInput;
  #phase: ScoutPhase = 'indexing';
  #repository: IndexedRepository | undefined;
  #targets: readonly ScoutTarget[] = [];
  #usage: StageUsage = { scope: noUsage, analyze: noUsage, synthesize: noUsage };
  #notes: readonly string[] = [];
  /** Names that the scoping call used and the index does not have. */
  unresolved: readonly string[] = [];

  constructor(input: ScoutInput) {
    this.#input = input;
    this.enter('indexing');
  }

  get targets(): readonly ScoutTarget[] {
    return this.#targets;
  }

  get usage(): StageUsage {
    return this.#usage;
  }

  get notes(): readonly string[] {
    return this.#notes;
  }

  enter(phase: ScoutPhase): void {
    this.#phase = phase;
    announce({ run: this.#input.scout, phase });
    this.#show();
  }

  indexed(repository: IndexedRepository): void {
    this.#repository = repository;
    this.enter('scoping');
  }

  found(targets: readonly FoundTarget[], state: TargetState = 'found'): void {
    this.#targets = targets.map(({ file, entity, kind, span, signature, reason }, i) => ({
      id: `T${i + 1}`,
      file,
      entity,
      kind,
      span,
      signature,
      reason,
      state,
    }));
    this.#show();
  }

  change(id: string, change: Partial<ScoutTarget>): void {
    this.#targets = this.#targets.map((target) => (target.id === id ? { ...target, ...change } : target));
    this.#show();
  }

  spent(stage: Stage, usage: Usage): void {
    this.#usage = { ...this.#usage, [stage]: sumOfUsage(this.#usage[stage], usage) };
  }

  /** What the report lacks: it is then marked as partial. */
  note(text: string): void {
    this.#notes = [...this.#notes, text];
  }

  finished({ markdown, unresolved }: WriteScoutReportResult): ScoutResult {
    const phase = this.#notes.length === 0 ? 'completed' : 'partial';
    this.enter(phase);
    const analyzed = this.#targets.filter(({ finding }) => finding !== undefined).length;
    const kept = this.#targets.filter(({ state }) => state === 'kept').length;
    return {
      scout: this.#input.scout,
      phase,
      commit: this.#repository?.commit ?? null,
      targets: { found: this.#targets.length, analyzed, kept },
      unresolved,
      usage: this.#usage,
      notes: this.#notes,
      markdown,
    };
  }

  progress(): ScoutProgress {
    const repository = this.#repository;
    return {
      scout: this.#input.scout,
      phase: this.#phase,
      ...(repository && { commit: repository.commit, files: repository.summary.files }),
      targets: this.#targets,
      usage: this.#usage,
      notes: this.#notes,
    };
  }

  #show(): void {
    const { scope, analyze, synthesize } = this.#usage;
    const total = sumOfUsage(scope, analyze, synthesize);
    const dollars = dollarsOf(total, this.#input.model?.price);
    const where = this.#repository === undefined ? '' : `${this.#repository.summary.files} files at ${this.#repository.commit?.slice(0, 12) ?? 'no commit'}`;
    const spent = `${total.calls} calls, ${grouped(tokensOf(total))} tokens${dollars === undefined ? '' : `, $${dollars.toFixed(4)}`}`;
    const head = [this.#phase, where, this.#input.model === null ? 'static' : spent].filter((part) => part !== '').join(' · ');
    const rows = this.#targets.map(({ id, entity, state, relevance, failure, reason }) => [id, entity, state, figure(relevance), failure ?? reason]);
    const targets = rows.length === 0 ? '' : table(['target', 'entity', 'state', 'relevance', 'why'], rows);
    setCurrentDetails([head, targets, ...this.#notes.map((note) => `**Partial:** ${note}`)].filter((part) => part !== '').join('\n\n'));
  }
}
