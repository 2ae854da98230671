/** @file The head over so many trained tokens at a time: a token's loss needs no other token, so logits of all of them never exist at once. */
import { gradientName, sumName } from '../../../core/model/gradientOutputs.ts';
import { hiddenName } from '../../../core/model/layerGraphs.ts';
import type { Feed, FeedArray, Session } from '../ort/session.ts';
import type { Pass, PassOutputs } from './sessions.ts';

/** What comes out of the last layer for the trained tokens [R, D]. */
export interface Hidden {
  readonly data: Float32Array;
  readonly width: number;
}

/** Outputs of all trained tokens: log-probabilities, and as the kind has them entropies, loss and the gradient of `hidden`. */
export async function headInPieces(session: Session, pass: Pass, { data, width }: Hidden, mostTokens: number): Promise<PassOutputs> {
  const count = data.length / width;
  const pieces = Math.max(1, Math.ceil(count / mostTokens));
  const size = Math.ceil(count / pieces);
  const asked = new Set(session.inputNames);
  const trained = [...pass.weights].filter(([name]) => asked.has(sumName(name)));
  const perToken = Object.entries(pass.feeds).filter(([name]) => asked.has(name));
  const parts: PassOutputs[] = [];
  for (let piece = 0; piece < pieces; piece++) {
    pass.check();
    const [first, end] = [piece * size, Math.min((piece + 1) * size, count)];
    const feeds: Record<string, Feed> = { [hiddenName]: { data: data.subarray(first * width, end * width), shape: [end - first, width] } };
    for (const [name, feed] of perToken) feeds[name] = { data: feed.data.subarray(first, end), shape: [end - first, 1] };
    for (const [name, tensor] of pass.weights) if (asked.has(name)) feeds[name] = tensor;
    for (const [name, tensor] of trained) feeds[sumName(name)] = pass.gradient.feed(name, tensor);
    const outputs = await session.run(feeds);
    for (const [name] of trained) pass.gradient.set(name, outputs[gradientName(name)] as Float32Array);
    parts.push(outputs);
  }
  return joined(parts);
}

function joined(parts: readonly PassOutputs[]): PassOutputs {
  const [first = {}] = parts;
  if (parts.length === 1) return first;
  const all = (name: string) => parts.map((part) => part[name] as Float32Array);
  const names = ['logprobs', 'entropy', gradientName(hiddenName)].filter((name) => name in first);
  const whole: Record<string, FeedArray> = Object.fromEntries(names.map((name) => [name, concatenated(all(name))]));
  if ('loss' in first) whole['loss'] = Float64Array.of(all('loss').reduce((sum, [loss]) => sum + (loss as number), 0));
  return whole;
}

function concatenated(arrays: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let next = 0;
  for (const array of arrays) {
    whole.set(array, next);
    next += array.length;
  }
  return whole;
}
