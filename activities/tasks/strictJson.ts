/** @file Whether two JSON texts say the same: same types, same keys, whole numbers to the last digit, `1` and `1.0` apart from `true` and `"1"`. */

/** A number as it was written: JavaScript's own would take 9007199254740993 for its neighbour. */
class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** False for a text that is no JSON, also where both are the same. */
export function sameJson(given: string, expected: string): boolean {
  try {
    return same(parse(given), parse(expected));
  } catch {
    return false;
  }
}

/** @throws SyntaxError. Python's NaN and Infinity are none. */
function parse(text: string): unknown {
  // The third parameter of a reviver is in Node 24, and not yet in the types of its library.
  const keepNumbers = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new WrittenNumber(context?.source ?? String(value)) : value;
  return JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown);
}

function same(given: unknown, expected: unknown): boolean {
  if (given instanceof WrittenNumber || expected instanceof WrittenNumber) {
    return given instanceof WrittenNumber && expected instanceof WrittenNumber && sameNumber(given.text, expected.text);
  }
  if (Array.isArray(given) || Array.isArray(expected)) {
    return Array.isArray(given) && Array.isArray(expected) && given.length === expected.length && given.every((entry, i) => same(entry, expected[i]));
  }
  if (!isRecord(given) || !isRecord(expected)) return given === expected;
  const keys = Object.keys(given);
  return keys.length === Object.keys(expected).length && keys.every((key) => Object.hasOwn(expected, key) && same(given[key], expected[key]));
}

function sameNumber(given: string, expected: string): boolean {
  const isWhole = (text: string) => /^-?\d+$/.test(text);
  return isWhole(given) && isWhole(expected) ? BigInt(given) === BigInt(expected) : Number(given) === Number(expected);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
