/** @file Reading a family's options: every unknown key and every wrong value is an error that names it. */

export type Reader<T> = (value: unknown, where: string) => T;
export type Readers<T> = { readonly [K in keyof T]: { readonly fallback: T[K]; readonly read: Reader<T[K]> } };

export function readOptions<T>(family: string, readers: Readers<T>, given: Readonly<Record<string, unknown>>): T {
  const known = Object.keys(readers) as (keyof T & string)[];
  const unknown = Object.keys(given).find((key) => !known.includes(key as keyof T & string));
  if (unknown !== undefined) {
    throw new Error(`options of task family '${family}': unknown option '${unknown}'; expected ${known.length === 0 ? 'none' : `one of ${known.join(', ')}`}`);
  }
  const entries = known.map((key) => {
    const { fallback, read } = readers[key];
    return [key, given[key] === undefined ? fallback : read(given[key], `option '${key}' of task family '${family}'`)];
  });
  return Object.fromEntries(entries) as T;
}

/** A non-empty list of whole numbers to draw from; a number named twice is drawn twice as often. */
export function integers(low: number, high: number): Reader<readonly number[]> {
  return (value, where) => {
    const fits = Array.isArray(value) && value.length > 0 && value.every((entry) => Number.isInteger(entry) && entry >= low && entry <= high);
    if (!fits) throw new Error(`${where}: expected a non-empty list of whole numbers from ${low} to ${high}, got ${JSON.stringify(value)}`);
    return value as readonly number[];
  };
}

export function integer(low: number, high: number): Reader<number> {
  return (value, where) => {
    if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
      throw new Error(`${where}: expected a whole number from ${low} to ${high}, got ${JSON.stringify(value)}`);
    }
    return value as number;
  };
}

export function fraction(): Reader<number> {
  return (value, where) => {
    if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw new Error(`${where}: expected a number from 0 to 1, got ${JSON.stringify(value)}`);
    return value;
  };
}
