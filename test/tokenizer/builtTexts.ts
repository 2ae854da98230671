/** @file Texts and conversations on which the built tokenizers are compared with transformers: chosen ones, prompts of every family, random joins. */
import { type Random, randomOf } from '../../core/random.ts';
import { bindFamily, proceduralTask, tagsFamilies } from '../../core/tasks/registry.ts';
import type { Message } from '../../core/tasks/task.ts';

const chosen = {
  tags: [
    ...['What is the age of the boss of kj?', "<code>boss('kj')</code>", '<answer>91</answer>', 'Total stock of ab and cd?', 'KeyError', "new('ab')+old('cd')"],
    ...['xy has 42 pens, gets 7 then loses 3. How many?', 'SyntaxErrorError', '<|user|>a<|end|><|bot|>', '<pad>', 'Ünknown TEXT and {braces}', '12.5 * -3'],
    ...[' the theory', ' theof', 'none', "''))", "boss(' boss coachcoach('", ' ', '  room  ', '', 'é', '\n', '???', "don't we'll I'm", 'whatis What  is'],
  ],
  bytes: [
    ...['', 'plain', 'naïve 東京 🙂', '\r\n\t\u0000', '<|user|>hi<|end|><|bot|>', '<pad>', '<|us er|>', '  two  spaces  ', '\\boxed{4}'],
    ...['```python\nprint(1)\n```', "don't we'll I'm", '<code>1</code>', '12.5 * -3', 'def f(x):\n    return x ** 2\n\n\n'],
  ],
};

const pieces = {
  tags: [
    ...['What is', ' the', ' of', ' room', ' boss', "boss('", "age('", "')", ' has', ' times', '. How many?', ' then', 'Total', ' and', "new('", 'KeyError'],
    ...['Error', 'none', '<code>', '</code>', '<answer>', '</answer>', ' ', "'", '(', '+', '-', '.', '?', ': ', 'a', 'th', 'e', 'bo', 'ss', '4', '7', '0'],
  ],
  bytes: ['a', 'Z', ' ', '\n', '\t', '7', '.', 'é', '東', '🙂', '<|', '|>', 'end', 'print(', ')', '#', '"', '\u00a0'],
};

export function builtTexts(vocabulary: 'tags' | 'bytes'): { readonly texts: readonly string[]; readonly chats: readonly (readonly Message[])[] } {
  const random = randomOf(7);
  const joined = (most: number) => Array.from({ length: random.integer(1, most) }, () => random.pick(pieces[vocabulary])).join('');
  const prompts = tagsFamilies.flatMap((name) => promptsOf(name, 10));
  const texts = [...chosen[vocabulary], ...prompts, ...Array.from({ length: 200 }, () => joined(12))];
  return { texts, chats: prompts.map((content) => [{ role: 'user', content }, ...turns(random, () => joined(6))]) };
}

function promptsOf(family: string, count: number): string[] {
  const source = { name: family, family: bindFamily(family, {}) };
  return Array.from({ length: count }, (_, index) =>
    proceduralTask(source, 'train', index, 1)
      .messages.map(({ content }) => content)
      .join(' '),
  );
}

function turns(random: Random, text: () => string): Message[] {
  return Array.from({ length: random.integer(0, 3) }, (): Message[] => [
    { role: 'assistant', content: text() },
    { role: 'tool', content: text() },
  ]).flat();
}
