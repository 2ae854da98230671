/**
 * @file What a turn's text asks for. Two formats: `tags` for policies made from nothing, `fences` for chat models.
 * The end-of-turn token is already stripped. Linear in the text, whatever a policy writes.
 */

export type TurnFormat = 'tags' | 'fences';

export type ParsedTurn =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'answer'; readonly answer: string }
  | { readonly kind: 'malformed'; readonly reason: string };

export function parseTurn(text: string, format: TurnFormat): ParsedTurn {
  return format === 'tags' ? parseTags(text) : parseFences(text);
}

/** Texts that have a meaning of their own in the `tags` format and so cannot be part of code or an answer. */
const reserved = ['<pad>', '<|user|>', '<|bot|>', '<|tool|>', '<|end|>', '<code>', '</code>', '<answer>', '</answer>'] as const;

/** Exactly one `<code>…</code>` or `<answer>…</answer>`, and nothing around it. */
function parseTags(text: string): ParsedTurn {
  const code = between(text, '<code>', '</code>');
  if (code !== undefined) return inner(code, 'code', { kind: 'code', code });
  const answer = between(text, '<answer>', '</answer>');
  if (answer !== undefined) return inner(answer, 'answer', { kind: 'answer', answer });
  return malformed('expected exactly <code>…</code> or <answer>…</answer>');
}

function between(text: string, open: string, close: string): string | undefined {
  const whole = text.length >= open.length + close.length && text.startsWith(open) && text.endsWith(close);
  return whole ? text.slice(open.length, text.length - close.length) : undefined;
}

function inner(content: string, name: string, parsed: ParsedTurn): ParsedTurn {
  if (content === '') return malformed(`<${name}> is empty`);
  const found = reserved.find((marker) => content.includes(marker));
  return found === undefined ? parsed : malformed(`${found} inside <${name}>`);
}

/**
 * The last ```python block is the code; without one, the last `<answer>…</answer>` or else the last `\boxed{…}` is the answer.
 * A block inside `<answer>` belongs to the answer (a program handed in), and what a model thinks aloud before `</think>` does not count.
 */
function parseFences(text: string): ParsedTurn {
  const said = text.slice(text.lastIndexOf('</think>') === -1 ? 0 : text.lastIndexOf('</think>') + '</think>'.length);
  const answer = lastAnswer(said);
  const block = lastBlock(answer === undefined ? said : `${said.slice(0, answer.start)}\n${said.slice(answer.end)}`);
  if (block === 'unclosed') return malformed('a ```python block is not closed');
  if (block !== undefined) return block.trim() === '' ? malformed('the ```python block is empty') : { kind: 'code', code: block };
  const given = answer?.content ?? lastBoxed(said);
  if (given === undefined) return malformed('expected a ```python block, <answer>…</answer> or \\boxed{…}');
  return given.trim() === '' ? malformed('the answer is empty') : { kind: 'answer', answer: given.trim() };
}

function lastAnswer(text: string): { readonly start: number; readonly end: number; readonly content: string } | undefined {
  const close = text.lastIndexOf('</answer>');
  const start = close === -1 ? -1 : text.lastIndexOf('<answer>', close);
  if (start === -1) return undefined;
  return { start, end: close + '</answer>'.length, content: text.slice(start + '<answer>'.length, close) };
}

/** A fence is a line that begins with three backticks. */
function lastBlock(text: string): string | 'unclosed' | undefined {
  let [block, last]: [string[] | undefined, string | undefined] = [undefined, undefined];
  let python = false;
  for (const line of text.split('\n')) {
    if (!line.trimStart().startsWith('```')) block?.push(line);
    else if (block === undefined) {
      block = [];
      python = /^```(?:python3?|py)$/i.test(line.trim());
    } else {
      if (python) last = block.join('\n');
      block = undefined;
    }
  }
  return block !== undefined && python ? 'unclosed' : last;
}

function lastBoxed(text: string): string | undefined {
  const open = text.lastIndexOf('\\boxed{');
  if (open === -1) return undefined;
  const start = open + '\\boxed{'.length;
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (character === '\\') i += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    if (depth === 0) return text.slice(start, i);
  }
  return undefined;
}

function malformed(reason: string): ParsedTurn {
  return { kind: 'malformed', reason };
}
