/** @file The column layouts that users' files have: which columns hold the prompt and which the expected answer. Detected once a file, from all its columns. */
import type { Message } from '../../core/tasks/task.ts';
import { excerpt, isRecord, type Row, TaskFileError } from './readRows.ts';

export interface Layout {
  /** `openai`, `trl`, `verl` or `gsm8k`, as people know them. */
  readonly name: 'openai' | 'trl' | 'verl' | 'gsm8k';
  readonly promptColumn: string;
  readonly answerColumn: string;
}

export interface QuestionAndAnswer {
  readonly messages: readonly Message[];
  /** As it stands in the file; a checker reads it. */
  readonly answer: unknown;
}

const promptColumns = ['messages', 'prompt', 'question', 'problem'] as const;
const answerColumns = ['answer', 'solution', 'ground_truth', 'label'] as const;
const known = `expected columns of one of: messages (OpenAI), prompt + ${answerColumns.join('|')} (TRL), prompt + reward_model.ground_truth (verl), question + answer (GSM8K)`;

export function detectLayout(path: string, rows: readonly Row[]): Layout {
  const names = new Set(rows.flatMap(({ columns }) => Object.keys(columns).filter((name) => columns[name] != null)));
  const got = `got ${[...names].join(', ') || 'no columns'}`;
  const prompts = promptColumns.filter((name) => names.has(name));
  const answers = answerColumns.filter((name) => names.has(name));
  const [promptColumn] = prompts;
  if (promptColumn === undefined) throw new TaskFileError(`${path}: ${known}; ${got}; rename the column with the question to 'prompt'`);
  if (prompts.length > 1)
    throw new TaskFileError(`${path}: expected one column with the question, got ${prompts.join(' and ')}; leave one and drop or rename the others`);
  if (names.has('reward_model')) {
    if (promptColumn !== 'prompt')
      throw new TaskFileError(`${path}: expected 'prompt' beside 'reward_model' (verl), got '${promptColumn}'; rename it to 'prompt'`);
    return { name: 'verl', promptColumn, answerColumn: 'reward_model.ground_truth' };
  }
  if (answers.length > 1)
    throw new TaskFileError(`${path}: expected one column with the answer, got ${answers.join(' and ')}; leave one and drop or rename the others`);
  const [answerColumn] = answers;
  if (answerColumn !== undefined) return { name: nameOf(promptColumn), promptColumn, answerColumn };
  if (promptColumn === 'messages') return { name: 'openai', promptColumn, answerColumn: 'messages (last assistant)' };
  throw new TaskFileError(`${path}: ${known}; ${got}; rename the column with the expected answer to 'answer'`);
}

function nameOf(promptColumn: (typeof promptColumns)[number]): Layout['name'] {
  if (promptColumn === 'messages') return 'openai';
  return promptColumn === 'prompt' ? 'trl' : 'gsm8k';
}

/** @throws TaskFileError naming the row. An empty question gives no messages. */
export function readRow({ where, columns }: Row, layout: Layout): QuestionAndAnswer {
  const messages = readMessages(columns[layout.promptColumn], where, layout.promptColumn);
  if (layout.answerColumn === 'messages (last assistant)') return splitLastAssistant(messages, where);
  const answer = layout.name === 'verl' ? groundTruth(columns['reward_model'], where) : columns[layout.answerColumn];
  if (answer == null || answer === '')
    throw new TaskFileError(`${where}: expected an answer in '${layout.answerColumn}', got ${excerpt(answer ?? null)}; fill it in or drop the row`);
  // With `messages` and an answer column, a reference solution at the end is not part of the question.
  return { messages: messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages, answer };
}

function groundTruth(value: unknown, where: string): unknown {
  if (!isRecord(value))
    throw new TaskFileError(`${where}: expected reward_model to be {style, ground_truth}, got ${excerpt(value ?? null)}; write it as verl does`);
  return value['ground_truth'];
}

function splitLastAssistant(messages: readonly Message[], where: string): QuestionAndAnswer {
  const last = messages.at(-1);
  if (last === undefined) return { messages: [], answer: '' };
  if (last.role !== 'assistant') {
    throw new TaskFileError(
      `${where}: expected the last message to be the assistant's (it holds the answer), got '${last.role}'; add it, or an 'answer' column`,
    );
  }
  return { messages: messages.slice(0, -1), answer: last.content };
}

const roles = new Set(['system', 'user', 'assistant', 'tool', 'developer']);

/** A text is one user message; `developer` is today's name for `system`. */
function readMessages(value: unknown, where: string, column: string): readonly Message[] {
  if (value == null) return [];
  if (typeof value === 'string') return value.trim() === '' ? [] : [{ role: 'user', content: value }];
  if (!Array.isArray(value))
    throw new TaskFileError(
      `${where}: expected '${column}' to be a text or a list of messages, got ${excerpt(value)}; write [{"role": "user", "content": "…"}]`,
    );
  return value.map((message, i) => readMessage(message, `${where}: ${column}[${i}]`));
}

function readMessage(value: unknown, where: string): Message {
  if (!isRecord(value)) throw new TaskFileError(`${where}: expected {role, content}, got ${excerpt(value)}; write {"role": "user", "content": "…"}`);
  const { role, content } = value;
  if (typeof role !== 'string' || !roles.has(role)) {
    throw new TaskFileError(`${where}: expected role system, user, assistant or tool, got ${excerpt(role ?? null)}; correct the role`);
  }
  return { role: (role === 'developer' ? 'system' : role) as Message['role'], content: readContent(content, where) };
}

/** OpenAI's content may be a list of parts; only text can be used. */
function readContent(content: unknown, where: string): string {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  const parts = Array.isArray(content) ? content : [content];
  return parts
    .map((part) => {
      if (isRecord(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text'];
      throw new TaskFileError(`${where}: expected content to be text, got ${excerpt(part)}; images and other parts are not supported, drop the row`);
    })
    .join('');
}
