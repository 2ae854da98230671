/**
 * @file The three stages of `scout` that call a model. A call that fails for good costs its part of the report; only a provider that refuses the
 * very first one (no key, unknown model) ends the scout.
 */
import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import { Budget, type Stage, type Usage } from '../core/scout/budget.ts';
import { isRelevant } from '../core/scout/findings.ts';
import type { ModelChoice, ScoutInput, ScoutTarget, SynthesizeResult } from '../core/scout/run.ts';
import type { IndexedRepository, StaticScope } from '../core/scout/types.ts';
import { modelCalls } from './activities.ts';
import { isRefusal, reasonOf, usageOf } from './failures.ts';
import type { FoundTarget, ScoutState } from './scoutState.ts';

export class ModelStages {
  readonly #input: ScoutInput;
  readonly #model: ModelChoice;
  readonly #state: ScoutState;
  readonly #repository: IndexedRepository;
  readonly #budget: Budget;

  constructor(input: ScoutInput, model: ModelChoice, state: ScoutState, repository: IndexedRepository) {
    this.#input = input;
    this.#model = model;
    this.#state = state;
    this.#repository = repository;
    this.#budget = new Budget(input.limits, model.price);
  }

  /** Targets of the scoping call; where there is none, those of the static scope, with a note. */
  async scoped(candidates: StaticScope): Promise<readonly FoundTarget[]> {
    const { scout, issue, limits } = this.#input;
    const fallback = candidates.targets.slice(0, limits.targets);
    if (!this.#budget.reserve('scope')) {
      this.#state.note(`the budget of ${this.#budget.limitText} does not cover the scoping call; targets are those of the lexical search`);
      return fallback;
    }
    try {
      const call = modelCalls.scope.executeWithOptions({ summary: 'scope' }, [{ scout, model: this.#model, issue, candidates }]);
      const { targets, unresolved } = await this.#settled('scope', call);
      this.#state.unresolved = unresolved;
      return targets.slice(0, limits.targets);
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      if (isRefusal(error)) throw ApplicationFailure.nonRetryable(reasonOf(error), 'ScoutFailed');
      this.#state.note(`no scoping by the model (${reasonOf(error)}); targets are those of the lexical search`);
      return fallback;
    }
  }

  /**
   * In the order of scoping, `concurrency` at a time. A target waits until its worst case fits the budget beside those in flight and the
   * synthesis; which targets are left out therefore does not depend on which analyses are faster.
   */
  async analyzeAll(): Promise<void> {
    this.#state.enter('analyzing');
    const inFlight = new Set<Promise<void>>();
    for (const target of this.#state.targets) {
      while (inFlight.size >= this.#input.limits.concurrency) await Promise.race(inFlight);
      if (!(await this.#affordable(inFlight))) {
        this.#state.change(target.id, { state: 'unaffordable' });
        continue;
      }
      const analysis: Promise<void> = this.#analyze(target).finally(() => inFlight.delete(analysis));
      inFlight.add(analysis);
    }
    await Promise.all(inFlight);
    this.#noteTargets();
  }

  async #affordable(inFlight: ReadonlySet<Promise<void>>): Promise<boolean> {
    while (!this.#budget.reserve('analyze', 'synthesize')) {
      if (inFlight.size === 0) return false;
      await Promise.race(inFlight);
    }
    return true;
  }

  async #analyze(target: ScoutTarget): Promise<void> {
    const { scout, issue, limits } = this.#input;
    this.#state.change(target.id, { state: 'analyzing' });
    try {
      const call = modelCalls.analyze.executeWithOptions({ summary: `analyze ${target.id}` }, [
        { scout, model: this.#model, issue, repository: this.#repository, target },
      ]);
      const { finding, relevance } = await this.#settled('analyze', call);
      this.#state.change(target.id, { state: isRelevant({ relevance }, limits.relevance) ? 'kept' : 'filtered', relevance, finding });
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      this.#state.change(target.id, { state: 'dropped', failure: reasonOf(error) });
    }
  }

  #noteTargets(): void {
    const named = (wanted: ScoutTarget['state']) => this.#state.targets.filter(({ state }) => state === wanted);
    const unaffordable = named('unaffordable').map(({ id }) => id);
    if (unaffordable.length > 0) this.#state.note(`the budget of ${this.#budget.limitText} ended before ${unaffordable.join(', ')}`);
    for (const { id, failure = '' } of named('dropped')) this.#state.note(`${id} has no analysis: ${failure}`);
  }

  /** Undefined where there is nothing to make it of, or it cannot be had. */
  async synthesized(): Promise<SynthesizeResult | undefined> {
    this.#state.enter('synthesizing');
    const { scout, issue, limits } = this.#input;
    const targets = this.#state.targets.filter(({ state }) => state === 'kept');
    if (targets.length === 0) {
      this.#state.note(`no target reached relevance ${limits.relevance}: the sections show what scoping found`);
      return undefined;
    }
    if (!this.#budget.reserve('synthesize')) {
      this.#state.note(`the budget of ${this.#budget.limitText} does not cover the synthesis: the sections list the findings`);
      return undefined;
    }
    try {
      const input = { scout, model: this.#model, issue, repository: this.#repository, targets };
      return await this.#settled('synthesize', modelCalls.synthesize.executeWithOptions({ summary: 'synthesize' }, [input]));
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) throw error;
      this.#state.note(`no synthesis (${reasonOf(error)}): the sections list the findings`);
      return undefined;
    }
  }

  /** Gives the reservation back, whatever came of the call. */
  async #settled<Result extends { readonly usage: Usage }>(stage: Stage, call: Promise<Result>): Promise<Result> {
    const settle = (usage: Usage) => {
      this.#budget.settle(stage, usage);
      this.#state.spent(stage, usage);
    };
    try {
      const result = await call;
      settle(result.usage);
      return result;
    } catch (error) {
      settle(usageOf(error));
      throw error;
    }
  }
}
