/** @file How hits are counted: the cases in which protocols differ. */
import { expect, test } from 'vitest';
import { localisationHits, localisationTable } from '../../../core/scout/localisation.ts';

const gold = { files: ['a.py'], modules: ['a.py:A'], functions: ['a.py:A', 'a.py:A.run'] };

test('all gold items must be among the first k', () => {
  const hits = localisationHits({ files: ['b.py', 'a.py'], targets: ['a.py:A.run', 'b.py:x'] }, gold);
  expect(hits.file).toEqual({ 1: false, 3: true, 5: true, 10: true });
  expect(hits.function[5]).toBe(false);
  expect(hits.module[5]).toBe(true);
  expect([hits.targetFile, hits.targetFunction]).toEqual([true, true]);
});

test('a constructor stands for its class, and a second definition for its name', () => {
  const hits = localisationHits({ files: [], targets: ['a.py:A.__init__', 'a.py:A.run~2'] }, gold);
  expect(hits.function[5]).toBe(true);
});

test('with more than k gold items, k of them are enough', () => {
  const many = { files: ['a.py'], modules: [], functions: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `a.py:${name}`) };
  const targets = ['a', 'b', 'c', 'd', 'e'].map((name) => `a.py:${name}`);
  expect(localisationHits({ files: [], targets }, many).function).toEqual({ 5: true, 10: false });
});

test('names that mean one gold item take one place', () => {
  const targets = ['b.py:B', 'b.py:B.__init__', 'b.py:B~2', 'b.py:c', 'b.py:d', 'b.py:e', 'a.py:A.run', 'a.py:A'];
  expect(localisationHits({ files: [], targets }, gold).function).toEqual({ 5: false, 10: true });
  expect(localisationHits({ files: [], targets }, { ...gold, functions: ['a.py:A.run'] }).function[5]).toBe(true);
});

test('a gold without functions is no hit', () => {
  expect(localisationHits({ files: ['a.py'], targets: ['a.py:A'] }, { files: ['a.py'], modules: [], functions: [] }).function[10]).toBe(false);
});

test('shares are in percent of the issues', () => {
  const hit = localisationHits({ files: ['a.py'], targets: [] }, gold);
  const miss = localisationHits({ files: ['b.py'], targets: [] }, gold);
  expect(localisationTable([hit, miss, miss, miss])).toMatchObject({ issues: 4, shares: { 'File@1': 25, 'Function@10': 0 } });
});
