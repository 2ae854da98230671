/** @file The procedural families: disjoint splits, solvable tasks, demonstrations that fit the vocabulary and flaws at the stated rates. */
import { describe, expect, test } from 'vitest';
import { randomOf, seedOf } from '../../core/random.ts';
import { parseTurn } from '../../core/rollout/turnFormat.ts';
import { bindFamily, type ProceduralTask, proceduralTask, promptOf, tagsFamilies, taskFamilies } from '../../core/tasks/registry.ts';
import { crc32, splitOf } from '../../core/tasks/split.ts';
import { encode, vocabulary } from './vocabulary.ts';

const names = taskFamilies.map(({ name }) => name);
const sourceOf = (name: string, options = {}) => ({ name, family: bindFamily(name, options) });
const tasksOf = (name: string, split: 'train' | 'heldOut', count: number, seed = 0): ProceduralTask[] => {
  const source = sourceOf(name);
  return Array.from({ length: count }, (_, index) => proceduralTask(source, split, index, seed));
};

test('the families of the recipe and two richer ones', () => {
  expect(names).toEqual(['chain', 'debug', 'calc', 'search', 'arithmetic', 'program']);
  expect(tagsFamilies).toEqual(['chain', 'debug', 'calc', 'search']);
  expect(vocabulary.length).toBe(98);
});

test('crc32 is that of zlib', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32([])).toBe(0);
  const texts = ['What is the age of the boss of kj?', 'größer ∑ 🙂', ''];
  for (const text of texts) expect(splitOf(text)).toBe(crc32(new TextEncoder().encode(text)) % 10 === 0 ? 'heldOut' : 'train');
});

test('a held-out fraction of one third and the extremes', () => {
  const held = Array.from({ length: 3000 }, (_, i) => splitOf(`task ${i}`, 1 / 3)).filter((split) => split === 'heldOut').length;
  expect(held).toBeGreaterThan(900);
  expect(held).toBeLessThan(1100);
  expect(splitOf('x', 0)).toBe('train');
  expect(splitOf('x', 1)).toBe('heldOut');
});

describe.each(names)('%s', (name) => {
  test('made twice it is the same; train depends on the seed, held-out never', () => {
    const [first, again, other] = [tasksOf(name, 'train', 30), tasksOf(name, 'train', 30), tasksOf(name, 'train', 30, 1)];
    const text = (tasks: ProceduralTask[]) => JSON.stringify(tasks);
    expect(text(again)).toBe(text(first));
    expect(text(other)).not.toBe(text(first));
    expect(text(tasksOf(name, 'heldOut', 30, 1))).toBe(text(tasksOf(name, 'heldOut', 30, 0)));
    expect(first[7]?.id).toBe(`${name}/train/7`);
  });

  test('no prompt is in both splits, over 2,000 indices each', () => {
    if (name === 'search') return expect(new Set(tasksOf(name, 'heldOut', 32).map(({ setup }) => setup)).size).toBe(32);
    const train = new Set(tasksOf(name, 'train', 2000).map(promptOf));
    const heldOut = tasksOf(name, 'heldOut', 2000).map(promptOf);
    expect(heldOut.filter((prompt) => train.has(prompt))).toEqual([]);
    expect(new Set(heldOut).size).toBeGreaterThan(1500);
  });

  test('a flawless demonstration solves the task within its turns, in its format', () => {
    for (const task of [...tasksOf(name, 'train', 500), ...tasksOf(name, 'heldOut', 100)]) {
      const turns = task.demonstrate(randomOf(seedOf(task.id)), true);
      const parsed = turns.map(({ text }) => parseTurn(text, 'tags'));
      expect(turns.length).toBeLessThanOrEqual(task.maxTurns);
      expect(parsed[0]?.kind).toBe('code');
      const last = parsed.at(-1);
      const { checker } = task;
      if (checker.kind === 'probe') {
        expect(last).toEqual({ kind: 'code', code: `probe(${checker.secret})` });
        expect(turns.at(-1)?.observation).toBe(task.endsOn);
      } else if (last?.kind !== 'answer') expect.fail(`expected an answer, got ${JSON.stringify(last)}`);
      else if (checker.kind === 'exact') expect(last.answer).toBe(checker.expected);
      else if (checker.kind === 'numeric') expect(Number(last.answer)).toBeCloseTo(checker.expected, 9);
      else expect(last.answer).toMatch(/^xs = .*input\(\)/);
    }
  });

  test('demonstrations with flaws still end within the turns', () => {
    const source = sourceOf(name);
    for (let i = 0; i < 500; i++) {
      const draft = source.family.makeForWarmup(i);
      const turns = draft.demonstrate(randomOf(i), false);
      expect(turns.length).toBeLessThanOrEqual(draft.maxTurns + 1);
      for (const turn of turns.slice(0, -1)) expect(turn.observation).toBeDefined();
    }
  });
});

describe.each(tagsFamilies)('%s in the 98-token vocabulary', (name) => {
  test('prompt, demonstrations and observations can be spelled', () => {
    const source = sourceOf(name);
    let longest = 0;
    for (let i = 0; i < 1500; i++) {
      const draft = source.family.makeForWarmup(i);
      const turns = draft.demonstrate(randomOf(i), i % 5 === 0);
      const text = turns.map((turn) => `${turn.text}<|end|>${turn.observation === undefined ? '' : `<|tool|>${turn.observation}<|end|><|bot|>`}`).join('');
      longest = Math.max(longest, encode(`<|user|>${promptOf(draft)}<|end|><|bot|>${text}`).length);
    }
    expect(longest).toBeLessThanOrEqual(name === 'search' ? 288 : 160);
  });
});

describe('flaws of the recipe', () => {
  const solvedShare = (name: string, flawless: boolean) => {
    const tasks = tasksOf(name, 'train', 2000);
    const solved = tasks.filter((task) => {
      const last = parseTurn(task.demonstrate(randomOf(seedOf('flaws', task.id)), flawless).at(-1)?.text ?? '', 'tags');
      return task.checker.kind === 'exact' && last.kind === 'answer' && last.answer === task.checker.expected;
    });
    return solved.length / tasks.length;
  };

  test.each([
    ['chain', 0.36, 0.44],
    ['debug', 0.11, 0.165],
    ['calc', 0.15, 0.23],
  ])('%s: flawed demonstrations are right in %f to %f of cases', (name, low, high) => {
    const share = solvedShare(name, false);
    expect(share).toBeGreaterThan(low);
    expect(share).toBeLessThan(high);
    expect(solvedShare(name, true)).toBe(1);
  });

  test('chain reads in the wrong order most of the time', () => {
    const relationsOf = (turns: readonly { readonly text: string }[]) => turns.map(({ text }) => /<code>(\w+)/.exec(text)?.[1] ?? '');
    const tasks = tasksOf('chain', 'train', 2000).filter((task) => {
      const [first, , third] = relationsOf(task.demonstrate(randomOf(0), true));
      return task.maxTurns === 7 && first !== third;
    });
    const backwards = tasks.filter((task) => {
      const right = relationsOf(task.demonstrate(randomOf(0), true));
      const read = relationsOf(task.demonstrate(randomOf(seedOf('order', task.id)), false)).slice(-5, -2);
      return read.join() === right.slice(0, 3).toReversed().join();
    });
    const wrong = backwards.length / tasks.length;
    expect(wrong).toBeGreaterThan(0.55);
    expect(wrong).toBeLessThan(0.85);
  });
});

describe('options', () => {
  test('unknown families, unknown options and wrong values are errors that name them', () => {
    expect(() => bindFamily('chains', {})).toThrow("task family: expected one of chain, debug, calc, search, arithmetic, program, got 'chains'");
    expect(() => bindFamily('chain', { hop: [1] })).toThrow("options of task family 'chain': unknown option 'hop'; expected one of hops, warmupHops");
    expect(() => bindFamily('chain', { hops: [] })).toThrow(
      "option 'hops' of task family 'chain': expected a non-empty list of whole numbers from 0 to 6, got []",
    );
    expect(() => bindFamily('search', { slips: 2 })).toThrow('expected a number from 0 to 1, got 2');
    expect(() => bindFamily('search', { range: 1.5 })).toThrow('expected a whole number from 2 to 10000, got 1.5');
  });

  test('they take effect', () => {
    const source = sourceOf('chain', { hops: [2] });
    expect(new Set(Array.from({ length: 50 }, (_, i) => proceduralTask(source, 'train', i, 0).maxTurns))).toEqual(new Set([6]));
    expect(source.family.makeForWarmup(0).maxTurns).toBeGreaterThanOrEqual(4);
  });
});

test('a honeypot asks what any other task asks, and no honest program gives what it expects', () => {
  const draw = (honeypots: number, index: number) => proceduralTask({ name: 'program', family: bindFamily('program', { honeypots }) }, 'heldOut', index, 0);
  for (let index = 0; index < 20; index += 1) {
    const [usual, honeypot] = [draw(0, index), draw(1, index)];
    if (usual.checker.kind !== 'code' || honeypot.checker.kind !== 'code') expect.fail('expected code checkers');
    expect(honeypot).toMatchObject({ honeypot: true, messages: usual.messages });
    expect(usual).not.toHaveProperty('honeypot');
    expect(honeypot.checker.cases.map(({ stdin }) => stdin)).toEqual(usual.checker.cases.map(({ stdin }) => stdin));
    for (const { stdout } of honeypot.checker.cases) expect(stdout).toMatch(/^\d{40}\n$/);
  }
});
