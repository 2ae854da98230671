/** @file Fields of a JSON file that describes a model, each refused by its name when it holds something that no model can be made of. */

export type Json = Readonly<Record<string, unknown>>;

export class UnsupportedModel extends Error {
  override readonly name = 'UnsupportedModel';
}

export class ConfigFields {
  readonly #file: string;
  readonly #json: Json;

  /** @throws UnsupportedModel when `json` is not an object. */
  constructor(file: string, json: unknown) {
    this.#file = file;
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw this.unsupported('the file', 'a JSON object', json);
    this.#json = json as Json;
  }

  /** Undefined where the file has null: both mean that nothing was said. */
  get(key: string): unknown {
    return (Object.hasOwn(this.#json, key) ? this.#json[key] : undefined) ?? undefined;
  }

  number(key: string, otherwise?: number): number {
    const value = this.get(key) ?? otherwise;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.unsupported(key, 'a number', value);
    return value;
  }

  positive(key: string, otherwise?: number): number {
    const value = this.number(key, otherwise);
    if (value <= 0) throw this.unsupported(key, 'a number above 0', value);
    return value;
  }

  /** `limit` keeps a mistyped or malicious size from becoming an allocation. */
  integer(key: string, otherwise?: number, limit = 2 ** 31): number {
    const value = this.number(key, otherwise);
    if (!Number.isInteger(value) || value < 1) throw this.unsupported(key, 'a whole number from 1 on', value);
    if (value > limit) throw this.unsupported(key, `at most ${limit}`, value);
    return value;
  }

  flag(key: string): boolean {
    const value = this.get(key) ?? false;
    if (typeof value !== 'boolean') throw this.unsupported(key, 'true or false', value);
    return value;
  }

  unsupported(key: string, expected: string, got: unknown = this.get(key)): UnsupportedModel {
    const text = JSON.stringify(got) ?? 'nothing';
    return new UnsupportedModel(`${this.#file}, ${key}: expected ${expected}, got ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`);
  }
}
