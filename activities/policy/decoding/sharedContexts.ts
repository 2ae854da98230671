/**
 * @file Keys and values of the contexts that rows decode after. What siblings have in common stands here once for up to eight of them, and
 * their queries meet it in one product. A row alone goes the same way, so its numbers do not tell whether it has company.
 */
import type { ModelConfig } from '../../../core/model/config.ts';
import type { Feed } from '../ort/session.ts';
import { type ComputedTokens, KeyValueCache } from './keyValueCache.ts';

/** Every copy has seats for as many rows as the fullest: more would leave too many empty beside rows that share with nobody. */
const seatsPerCopy = 8;

/** One copy of a context; `place` and `rows` change as rows come and go. */
export interface SharedContext {
  /** Equal keys, equal tokens. */
  readonly key: string;
  /** Tokens in the cache. */
  readonly length: number;
  readonly place: number;
  /** How many rows decode after it. */
  readonly rows: number;
}

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

export class SharedContexts {
  readonly #config: ModelConfig;
  readonly #leastCopies: number;
  readonly #cache: KeyValueCache;
  /** A copy's index is its place in the cache. */
  readonly #copies: Mutable<SharedContext>[] = [];
  /** Until somebody comes or goes. */
  #seating: Seating | undefined;

  constructor(config: ModelConfig, leastCopies: number) {
    this.#config = config;
    this.#leastCopies = leastCopies;
    this.#cache = new KeyValueCache(config, leastCopies);
  }

  /** None where no row has a context: then its part of the step has nothing to compute. */
  get slots(): number {
    return this.#copies.some(({ length }) => length > 0) ? this.#cache.slots : 0;
  }

  /** A seat for one row: at a copy that is there, or at a new one made of `chunks`. */
  join(key: string, length: number, chunks: readonly ComputedTokens[]): SharedContext {
    const copy = this.#copies.find((known) => known.key === key && known.rows < seatsPerCopy) ?? this.#added(key, length, chunks);
    copy.rows += 1;
    this.#seating = undefined;
    return copy;
  }

  #added(key: string, length: number, chunks: readonly ComputedTokens[]): Mutable<SharedContext> {
    const copy = { key, length, place: this.#copies.length, rows: 0 };
    this.#cache.reserve(Math.max(this.#leastCopies, this.#copies.length + 1), Math.max(length, ...this.#copies.map((other) => other.length)));
    this.#cache.writeAll(copy.place, chunks);
    this.#copies.push(copy);
    return copy;
  }

  /** Frees a row's seat. After its last row a copy goes, and the last copy takes its place. */
  leave(context: SharedContext): void {
    const copy = this.#copies[context.place] as Mutable<SharedContext>;
    copy.rows -= 1;
    this.#seating = undefined;
    if (copy.rows > 0) return;
    const last = this.#copies.pop() as Mutable<SharedContext>;
    if (last === copy) this.#cache.clear(copy.place);
    else {
      this.#cache.move(last.place, copy.place);
      this.#copies[copy.place] = last;
      last.place = copy.place;
    }
    if (this.#copies.length === 0) this.#cache.trim(this.#leastCopies);
    else this.#cache.reserve(this.#leastCopies, Math.max(...this.#copies.map((other) => other.length)));
  }

  /** Inputs of the decoding graph for `count` rows, of which the first decode after these contexts, in the order of their places. */
  feeds(contexts: readonly SharedContext[], count: number): Record<string, Feed> {
    const { layerCount } = this.#config;
    const copies = Math.max(this.#leastCopies, this.#copies.length);
    this.#seating ??= this.#seated(contexts, count, copies);
    const names = ['contextKeys', 'contextValues'] as const;
    return { ...this.#seating, ...(this.slots === 0 ? emptyFeeds(this.#config, copies, names) : this.#cache.feeds(copies, layerCount, names)) };
  }

  #seated(contexts: readonly SharedContext[], count: number, copies: number): Seating {
    const { headCount, kvHeadCount } = this.#config;
    const group = headCount / kvHeadCount;
    // One query alone would take another kernel than two.
    const seats = Math.max(group === 1 ? 2 : 1, ...this.#copies.map(({ rows }) => rows));
    const toSeats = new BigInt64Array(copies * kvHeadCount * seats * group * 4);
    const toRows = new BigInt64Array(count * kvHeadCount * group * 3);
    const taken = new Int32Array(copies);
    contexts.forEach(({ place }, row) => {
      const seat = (taken[place] as number)++;
      for (let head = 0; head < kvHeadCount; head++) {
        for (let query = 0; query < group; query++) {
          const [atRow, atSeat] = [(row * kvHeadCount + head) * group + query, ((place * kvHeadCount + head) * seats + seat) * group + query];
          toSeats.set([BigInt(row), BigInt(head), BigInt(query), 0n], 4 * atSeat);
          toRows.set([BigInt(place), BigInt(head), BigInt(seat * group + query)], 3 * atRow);
        }
      }
    });
    return {
      toSeats: { data: toSeats, shape: [copies, kvHeadCount, seats * group, 4] },
      toRows: { data: toRows, shape: [count, kvHeadCount, group, 1, 3] },
    };
  }
}

function emptyFeeds({ layerCount, kvHeadCount, headDim }: ModelConfig, copies: number, [keys, values]: readonly [string, string]): Record<string, Feed> {
  const empty = { data: new Float32Array(0), shape: [copies, kvHeadCount, 0, headDim] };
  const ofLayer = (layer: number): [string, Feed][] => [
    [`${keys}.${layer}`, empty],
    [`${values}.${layer}`, empty],
  ];
  return Object.fromEntries(Array.from({ length: layerCount }, (_, layer) => ofLayer(layer)).flat());
}

/** Which query of which row sits where, both ways round. */
type Seating = Readonly<Record<'toSeats' | 'toRows', Feed>>;
