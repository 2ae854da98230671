/** @file What a program of family `program` has to do: operations on a list of whole numbers, each as English, as Python and as a function. */
import type { Random } from '../random.ts';

interface Operation {
  readonly words: string;
  /** Python expression over `xs`. */
  readonly python: string;
  readonly apply: (xs: readonly number[]) => readonly number[];
}

interface Ending {
  readonly words: string;
  /** Python expression over `xs`, printed. */
  readonly python: string;
  readonly apply: (xs: readonly number[]) => string;
}

export interface Specification {
  readonly operations: readonly Operation[];
  readonly ending: Ending;
}

export function drawSpecification(random: Random, count: number): Specification {
  return { operations: Array.from({ length: count }, () => random.pick(operations)(random)), ending: random.pick(endings) };
}

export function wording({ operations: steps, ending }: Specification): string {
  const said = steps.map(({ words }, i) => (i === 0 ? words : `then ${words}`)).join(', ');
  return `It reads one line of whole numbers separated by spaces, ${said}, and prints ${ending.words}.`;
}

export function statements({ operations: steps, ending }: Specification): string[] {
  return [...steps.map(({ python }) => `xs = ${python}`), `print(${ending.python})`];
}

export function expectedOutput({ operations: steps, ending }: Specification, input: readonly number[]): string {
  return ending.apply(steps.reduce((xs, step) => step.apply(xs), input));
}

/** `count` different inputs. */
export function drawInputs(random: Random, count: number): number[][] {
  const inputs = new Map<string, number[]>();
  while (inputs.size < count) {
    const input = Array.from({ length: random.integer(3, 7) }, () => random.integer(-20, 40));
    inputs.set(input.join(' '), input);
  }
  return [...inputs.values()];
}

const operations: readonly ((random: Random) => Operation)[] = [
  () => ({ words: 'keeps the even ones', python: '[x for x in xs if x % 2 == 0]', apply: (xs) => xs.filter((x) => x % 2 === 0) }),
  () => ({ words: 'keeps the odd ones', python: '[x for x in xs if x % 2 == 1]', apply: (xs) => xs.filter((x) => x % 2 !== 0) }),
  (random) => {
    const bound = random.integer(-5, 20);
    return { words: `keeps those above ${bound}`, python: `[x for x in xs if x > ${bound}]`, apply: (xs) => xs.filter((x) => x > bound) };
  },
  (random) => {
    const term = random.integer(2, 9);
    return { words: `adds ${term} to each`, python: `[x + ${term} for x in xs]`, apply: (xs) => xs.map((x) => x + term) };
  },
  (random) => {
    const factor = random.integer(2, 5);
    return { words: `multiplies each by ${factor}`, python: `[x * ${factor} for x in xs]`, apply: (xs) => xs.map((x) => x * factor) };
  },
  (random) => {
    const modulus = random.integer(3, 9);
    const remainder = (x: number) => ((x % modulus) + modulus) % modulus;
    return { words: `replaces each by its remainder modulo ${modulus}`, python: `[x % ${modulus} for x in xs]`, apply: (xs) => xs.map(remainder) };
  },
  () => ({ words: 'squares each', python: '[x * x for x in xs]', apply: (xs) => xs.map((x) => x * x) }),
  () => ({ words: 'takes their absolute values', python: '[abs(x) for x in xs]', apply: (xs) => xs.map(Math.abs) }),
  () => ({ words: 'sorts them from low to high', python: 'sorted(xs)', apply: (xs) => xs.toSorted((a, b) => a - b) }),
  () => ({ words: 'reverses their order', python: 'xs[::-1]', apply: (xs) => xs.toReversed() }),
  () => ({ words: 'drops repeated ones after their first place', python: 'list(dict.fromkeys(xs))', apply: (xs) => [...new Set(xs)] }),
];

const endings: readonly Ending[] = [
  { words: 'their sum', python: 'sum(xs)', apply: (xs) => String(xs.reduce((sum, x) => sum + x, 0)) },
  { words: 'how many there are', python: 'len(xs)', apply: (xs) => String(xs.length) },
  { words: 'the largest (0 if there are none)', python: 'max(xs, default=0)', apply: (xs) => String(xs.length === 0 ? 0 : Math.max(...xs)) },
  { words: 'the smallest (0 if there are none)', python: 'min(xs, default=0)', apply: (xs) => String(xs.length === 0 ? 0 : Math.min(...xs)) },
  { words: 'them on one line, separated by spaces', python: "' '.join(str(x) for x in xs)", apply: (xs) => xs.join(' ') },
];
