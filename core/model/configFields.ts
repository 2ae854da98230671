/** @file Fields of a config.json, each refused by its name when it holds something else than a model can be made of. */

export type Json = Readonly<Record<string, unknown>>;

export class UnsupportedModel extends Error {
  override readonly name = 'UnsupportedModel';
}

export function unsupported(key: string, expected: string, got: unknown): UnsupportedModel {
  return new UnsupportedModel(`config.json, ${key}: expected ${expected}, got ${shortened(JSON.stringify(got) ?? 'nothing')}`);
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

export function number(json: Json, key: string, otherwise?: number): number {
  const value = json[key] ?? otherwise;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw unsupported(key, 'a number', value);
  return value;
}

export function positive(json: Json, key: string, otherwise?: number): number {
  const value = number(json, key, otherwise);
  if (value <= 0) throw unsupported(key, 'a number above 0', value);
  return value;
}

/** A number from 0 on, or nothing. */
export function amount(json: Json, key: string): number | undefined {
  if (json[key] === undefined || json[key] === null) return undefined;
  const value = number(json, key);
  if (value < 0) throw unsupported(key, 'a number from 0 on', value);
  return value;
}

/** `limit` keeps a mistyped or malicious size from becoming an allocation. */
export function integer(json: Json, key: string, otherwise?: number, limit = 2 ** 31): number {
  const value = number(json, key, otherwise);
  if (!Number.isInteger(value) || value < 1) throw unsupported(key, 'a whole number from 1 on', value);
  if (value > limit) throw unsupported(key, `at most ${limit}`, value);
  return value;
}

export function flag(json: Json, key: string): boolean {
  const value = json[key] ?? false;
  if (typeof value !== 'boolean') throw unsupported(key, 'true or false', value);
  return value;
}
