/** @file Collects terms of a file into postings: how often a term stands in which field of which entity. */
import { mostPerRecord, postingWidth, type TextField, textFields } from './fileRecord.ts';
import { termsOf } from './subtokens.ts';

export class PostingCollector {
  readonly #terms = new Map<string, number>();
  /** Keyed by term, entity and field in one number, so that no string is built per word. */
  readonly #counts = new Map<number, number>();
  /** Words come again and again; what they are made of is asked once. */
  readonly #termsOfWord = new Map<string, readonly number[]>();

  add(word: string, entity: number, field: TextField): void {
    if (entity > mostPerRecord) return;
    for (const term of this.#numbersOf(word)) {
      const key = (term * (mostPerRecord + 1) + entity) * textFields.length + textFields.indexOf(field);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
  }

  get terms(): string[] {
    return [...this.#terms.keys()];
  }

  /** In the order of entity, term, field: equal texts give equal bytes. */
  postings(): Uint16Array {
    const keys = [...this.#counts.keys()].sort((a, b) => a - b);
    const postings = new Uint16Array(keys.length * postingWidth);
    keys.forEach((key, index) => {
      const field = key % textFields.length;
      const rest = (key - field) / textFields.length;
      const entity = rest % (mostPerRecord + 1);
      const count = Math.min(this.#counts.get(key) as number, mostPerRecord);
      postings.set([entity, (rest - entity) / (mostPerRecord + 1), field, count], index * postingWidth);
    });
    return postings;
  }

  #numbersOf(word: string): readonly number[] {
    const known = this.#termsOfWord.get(word);
    if (known) return known;
    const numbers = termsOf(word).flatMap((term) => this.#numberOf(term) ?? []);
    this.#termsOfWord.set(word, numbers);
    return numbers;
  }

  #numberOf(term: string): number | undefined {
    const known = this.#terms.get(term);
    if (known !== undefined) return known;
    if (this.#terms.size > mostPerRecord) return undefined;
    this.#terms.set(term, this.#terms.size);
    return this.#terms.size - 1;
  }
}
