/** @file Shape arithmetic with sizes that may be symbols. */
import type { Dim, Shape } from './types.ts';

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Number of elements; every size must be known. */
export function sizeOf(shape: Shape): number {
  return shape.reduce<number>((product, dim) => product * knownDim(dim, shape), 1);
}

export function knownDim(dim: Dim | undefined, shape: Shape): number {
  if (typeof dim !== 'number') throw new Error(`shape [${shape}]: expected a known size, got ${dim}`);
  return dim;
}

/** A size times a number, by name where the size is a symbol. */
export function times(count: number, dim: Dim): Dim {
  if (typeof dim === 'number') return count * dim;
  return count === 1 ? dim : `${count}*${dim}`;
}

/** The size of start … end − 1. */
export function stretch(start: number, end: Dim): Dim {
  if (typeof end === 'number') return end - start;
  return start === 0 ? end : `${end}-${start}`;
}

/** Numpy's rule: aligned at the end, a 1 stretches. */
export function broadcastShape(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new Error(`cannot broadcast [${a}] with [${b}]: axis ${i} has ${x} and ${y}`);
  });
}

/** A negative axis counts from the end. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) throw new Error(`axis ${axis}: expected −${rank} … ${rank - 1}`);
  return positive;
}

export function withAxis(shape: Shape, axis: number, dim: Dim): Dim[] {
  return shape.map((old, i) => (i === axis ? dim : old));
}

export function reducedShape(shape: Shape, axes: readonly number[], keepdims: boolean): Dim[] {
  return keepdims ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));
}

/** The permutation that swaps the last two axes. */
export function swapLastTwo(rank: number): number[] {
  const perm = Array.from({ length: rank }, (_, i) => i);
  return [...perm.slice(0, -2), rank - 1, rank - 2];
}
