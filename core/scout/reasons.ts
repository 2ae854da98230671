/** @file Why a file or entity was chosen, in words of a person: what the issue names, and which of its words stand where. */
import { inverseFrequency } from './bm25f.ts';
import { textFields } from './fileRecord.ts';
import type { NumberedMention, RankingInput } from './ranking.ts';

const fieldWords: Readonly<Record<(typeof textFields)[number], string>> = {
  name: 'in its name',
  signature: 'in its signature',
  doc: 'in its documentation',
  code: 'in its code',
  string: 'in its texts',
  comment: 'in its comments',
};
const mostTerms = 4;
const longestReason = 240;

/** Terms are stems; a reason shows a word of the issue for each. */
export type WordOf = (term: number) => string;

export class Reasons {
  readonly #input: RankingInput;
  readonly #weights: Float64Array;
  readonly #wordOf: WordOf;
  readonly #mentions = new Map<number, NumberedMention['mention'][]>();

  constructor(input: RankingInput, weights: Float64Array, wordOf: WordOf) {
    this.#input = input;
    this.#weights = weights;
    this.#wordOf = wordOf;
    for (const { mention, entities } of input.mentions)
      for (const entity of entities) this.#mentions.set(entity, [...(this.#mentions.get(entity) ?? []), mention]);
  }

  ofEntity(entity: number): string {
    const file = this.#input.fileOf[entity] as number;
    return this.#joined([...this.#named(entity), ...this.#fields(file, (each) => each === entity)]);
  }

  ofFile(file: number): string {
    const { firstEntity, matches } = { firstEntity: this.#input.matches.firstEntity, matches: this.#input.matches };
    const terms = [...new Set(matches.pathTerms[file])].filter((term) => (this.#weights[term] as number) > 0).slice(0, mostTerms);
    const path = terms.length > 0 ? [`${this.#quoted(terms)} in its path`] : [];
    return this.#joined([...this.#named(firstEntity[file] as number), ...path, ...this.#fields(file, () => true)]);
  }

  #named(entity: number): string[] {
    const mentions = this.#mentions.get(entity) ?? [];
    const frames = mentions.some(({ kind }) => kind === 'traceback') ? ['in a traceback of the issue'] : [];
    const names = mentions.filter(({ kind }) => kind !== 'traceback').map(({ text }) => text);
    return names.length > 0 ? [`named in the issue (${names.slice(0, 2).join(', ')})`, ...frames] : frames;
  }

  /** The weightiest terms, each under the first field it stands in. */
  #fields(file: number, isMeant: (entity: number) => boolean): string[] {
    const { matches, statistics } = this.#input;
    const fields = new Map<number, number>();
    for (let posting = matches.firstPosting[file] as number; posting < (matches.firstPosting[file + 1] as number); posting++) {
      const term = matches.terms[posting] as number;
      if (isMeant(matches.entities[posting] as number)) fields.set(term, Math.min(fields.get(term) ?? textFields.length, matches.fields[posting] as number));
    }
    const worth = (term: number) => (this.#weights[term] as number) * inverseFrequency(matches.paths.length, statistics.fileFrequency[term] as number);
    const best = [...fields.keys()]
      .filter((term) => worth(term) > 0)
      .sort((a, b) => worth(b) - worth(a) || a - b)
      .slice(0, 2 * mostTerms);
    return textFields.flatMap((field, number) => {
      const terms = best.filter((term) => fields.get(term) === number).slice(0, mostTerms);
      return terms.length > 0 ? [`${this.#quoted(terms)} ${fieldWords[field]}`] : [];
    });
  }

  #quoted(terms: readonly number[]): string {
    return terms.map((term) => `'${this.#wordOf(term)}'`).join(', ');
  }

  #joined(parts: readonly string[]): string {
    return clippedReason(parts.length > 0 ? parts.join('; ') : 'near what the issue speaks of');
  }
}

export function clippedReason(text: string): string {
  return text.length <= longestReason ? text : `${text.slice(0, longestReason - 1)}…`;
}
