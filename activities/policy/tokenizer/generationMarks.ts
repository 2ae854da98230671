/**
 * @file Where the `{% generation %}` blocks of a chat template begin and end in its rendering. The template library knows the tag and prints
 * nothing for it; here the tag becomes a statement that prints a mark, with the same rules for the whitespace beside it.
 */

/** Stretches of a rendering, `[start, end)` in UTF-16 units, in order. */
export type Generated = readonly (readonly [start: number, end: number])[];

// Private-use characters, as those of contents in chatTemplate.ts.
const begin = '\uE0F3';
const end = '\uE0F4';
const tag = /\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}/g;

/** Undefined when the template has no such block. */
export function withGenerationMarks(source: string): string | undefined {
  const marked = source.replace(tag, (_, left: string, isEnd: string | undefined, right: string) => {
    return `{%${left} if true %}{{ '${isEnd ? end : begin}' }}{% endif ${right}%}`;
  });
  return marked === source ? undefined : marked;
}

/** @throws Error when the marks change what the template prints, so that their places are not those in its own rendering. */
export function generationMarks(marked: string, rendered: string): Generated {
  const places: [number, number][] = [];
  let text = '';
  for (const piece of marked.split(/([\uE0F3\uE0F4])/u)) {
    if (piece === begin) places.push([text.length, text.length]);
    else if (piece === end) (places.at(-1) as [number, number])[1] = text.length;
    else text += piece;
  }
  if (text === rendered) return places;
  throw new Error('chat template: expected {% generation %} blocks to print what is in them unchanged, got a template that works on it further');
}
