/** @file The 98-token vocabulary of the `tags` families, spelled out once more, in the order of its ids, so that a change of either shows. */

const special = ['<pad>', '<|user|>', '<|bot|>', '<|tool|>', '<|end|>', '<code>', '</code>', '<answer>', '</answer>'];
const characters = [...'0123456789', ...'abcdefghijklmnopqrstuvwxyz', ..."'()+-*,.?: "];
const words = [
  ...['What is', ' the', ' of', ' room', ' age', ' desk', ' boss', ' friend', ' aunt', ' coach'],
  ...["room('", "age('", "desk('", "boss('", "friend('", "aunt('", "coach('", "')"],
  ...[' has', ' gets', ' finds', ' buys', ' loses', ' sells', ' eats', ' packs', ' copies', ' times', '. How many?', ' pens', ' then'],
  ...['Total', ' stock', ' and', "new('", "old('", 'KeyError', 'TypeError', 'NameError', 'SyntaxError', 'Error', 'none'],
];

export const vocabulary: readonly string[] = [...special, ...characters, ...words];

const longestFirst = vocabulary.map((token, id) => ({ token, id })).toSorted((a, b) => b.token.length - a.token.length);

/** Greedy longest match. @throws Error when a character cannot be spelled. */
export function encode(text: string): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length; ) {
    const match = longestFirst.find(({ token }) => text.startsWith(token, at));
    if (match === undefined) throw new Error(`encode: no token for ${JSON.stringify(text.slice(at, at + 10))}`);
    tokens.push(match.id);
    at += match.token.length;
  }
  return tokens;
}
