/**
 * @file What a scout may spend on model calls. A call is begun only when its worst case fits beside the worst cases of the calls in flight.
 * What can pass the limit: repairs of the calls in flight, and text that takes more tokens than estimated.
 */
import type { ScoutLimits, TokenPrice } from './run.ts';

export interface Usage {
  /** Answered calls, repairs included. */
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export const noUsage: Usage = { calls: 0, inputTokens: 0, outputTokens: 0 };

export function sumOfUsage(...usages: readonly Usage[]): Usage {
  return usages.reduce(
    (sum, usage) => ({
      calls: sum.calls + usage.calls,
      inputTokens: sum.inputTokens + usage.inputTokens,
      outputTokens: sum.outputTokens + usage.outputTokens,
    }),
    noUsage,
  );
}

export function tokensOf({ inputTokens, outputTokens }: Usage): number {
  return inputTokens + outputTokens;
}

/** US dollars; undefined where no price is known. */
export function dollarsOf(usage: Usage, price: TokenPrice | undefined): number | undefined {
  return price && (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1e6;
}

export type Stage = 'scope' | 'analyze' | 'synthesize';

/** What prompts are kept below, in tokens of about three bytes, and what an answer may take. */
export const callCeilings: { readonly [Name in Stage]: { readonly inputTokens: number; readonly outputTokens: number } } = {
  scope: { inputTokens: 20_000, outputTokens: 8_000 },
  analyze: { inputTokens: 20_000, outputTokens: 8_000 },
  synthesize: { inputTokens: 32_000, outputTokens: 12_000 },
};

/** The first answer, and one more for each complaint. */
export const mostRepairs = 2;

/** Prose and code take three to five bytes a token; three is the careful side. */
export const bytesPerToken = 3;

function worstCase(stage: Stage): Usage {
  return { calls: 1, ...callCeilings[stage] };
}

export class Budget {
  readonly #limits: Pick<ScoutLimits, 'tokens' | 'dollars'>;
  readonly #price: TokenPrice | undefined;
  #spent = noUsage;
  #reserved = noUsage;

  constructor(limits: Pick<ScoutLimits, 'tokens' | 'dollars'>, price?: TokenPrice) {
    this.#limits = limits;
    this.#price = price;
  }

  /** Whether a call of the stage fits, with what `also` will need afterwards. A call that fits is taken to be in flight until `settle`. */
  reserve(stage: Stage, ...also: readonly Stage[]): boolean {
    const wanted = sumOfUsage(this.#spent, this.#reserved, worstCase(stage), ...also.map(worstCase));
    if (tokensOf(wanted) > this.#limits.tokens || !this.#affords(wanted)) return false;
    this.#reserved = sumOfUsage(this.#reserved, worstCase(stage));
    return true;
  }

  /** The call is over and took this. */
  settle(stage: Stage, usage: Usage): void {
    const { calls, inputTokens, outputTokens } = worstCase(stage);
    this.#reserved = sumOfUsage(this.#reserved, { calls: -calls, inputTokens: -inputTokens, outputTokens: -outputTokens });
    this.#spent = sumOfUsage(this.#spent, usage);
  }

  #affords(usage: Usage): boolean {
    const { dollars } = this.#limits;
    return dollars === null || (dollarsOf(usage, this.#price) ?? 0) <= dollars;
  }

  /** For people: `120,000 tokens`. */
  get limitText(): string {
    const { tokens, dollars } = this.#limits;
    return `${grouped(tokens)} tokens${dollars === null ? '' : `, $${dollars}`}`;
  }
}

/** Thousands by commas, the same in every locale. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
