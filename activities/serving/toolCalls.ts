/**
 * @file Calls of tools in the text of an answer, as it grows. What may be the beginning of a call is held back; what turns out not to be a
 * call is text after all, unchanged.
 */
import type { ToolFormat } from './toolFormat.ts';

export interface CalledTool {
  readonly name: string;
  /** JSON. */
  readonly arguments: string;
}

export interface ToolOutput {
  readonly text: string;
  readonly calls: readonly CalledTool[];
}

const nothing: ToolOutput = { text: '', calls: [] };

export class ToolCalls {
  readonly #format: ToolFormat | undefined;
  readonly #offered: ReadonlySet<string>;
  #held = '';
  /** Something but spaces was shown: from there on, a bare object is a part of a text. */
  #hasText = false;

  /** Without a format everything is text. `offered` are the names that a bare object must have one of: other objects are answers in JSON. */
  constructor(format: ToolFormat | undefined, offered: readonly string[]) {
    this.#format = format;
    this.#offered = new Set(offered);
  }

  push(text: string): ToolOutput {
    if (this.#format === undefined) return { text, calls: [] };
    this.#held += text;
    return this.#format.kind === 'tagged' ? this.#takeTagged(this.#format.open, this.#format.close) : this.#showBefore(this.#startOf(this.#format));
  }

  /** When nothing follows. */
  end(): ToolOutput {
    const rest = this.#held;
    this.#held = '';
    if (this.#format === undefined || this.#format.kind === 'tagged') return { text: rest, calls: [] };
    const open = this.#format.kind === 'list' ? this.#format.open : '';
    const found = rest.trimStart().startsWith(open) && rest.trim() !== '' ? callsOf(rest.trimStart().slice(open.length)) : undefined;
    const calls = this.#format.kind === 'list' || found?.every(({ name }) => this.#offered.has(name)) ? found : undefined;
    return calls === undefined ? { text: rest, calls: [] } : { text: '', calls };
  }

  #takeTagged(open: string, close: string): ToolOutput {
    let { text, calls } = nothing;
    for (;;) {
      const start = this.#held.indexOf(open);
      const end = start === -1 ? -1 : this.#held.indexOf(close, start + open.length);
      if (end === -1) break;
      const found = callsOf(this.#held.slice(start + open.length, end));
      const after = end + close.length;
      // Spaces beside a call belong to its format.
      text += found === undefined ? this.#held.slice(0, after) : this.#held.slice(0, start).trimEnd();
      calls = [...calls, ...(found ?? [])];
      this.#held = found === undefined ? this.#held.slice(after) : this.#held.slice(after).trimStart();
    }
    const shown = this.#showBefore(this.#held.indexOf(open));
    return { text: text + shown.text, calls };
  }

  /** Where a call begins or may begin; everything from there is one. */
  #startOf(format: Exclude<ToolFormat, { kind: 'tagged' }>): number {
    if (format.kind === 'list') return this.#held.indexOf(format.open);
    const first = this.#held.trimStart();
    return !this.#hasText && (first === '' || first.startsWith('{')) ? 0 : -1;
  }

  /** Shows what is surely text: all before `start`, or, where no call has begun, all but what may be the beginning of one. */
  #showBefore(start: number): ToolOutput {
    const open = this.#format?.kind === 'bare' ? '' : (this.#format?.open ?? '');
    const sure = start === -1 ? this.#held.length - overlap(this.#held, open) : start;
    const text = open === '' && start === -1 ? this.#held : this.#held.slice(0, sure).trimEnd();
    this.#held = this.#held.slice(text.length);
    this.#hasText ||= text.trim() !== '';
    return { text, calls: [] };
  }
}

/** Undefined: it is none. */
function callsOf(json: string): CalledTool[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const calls = [value].flat().map(callOf);
  return calls.length > 0 && calls.every((call) => call !== undefined) ? calls : undefined;
}

function callOf(value: unknown): CalledTool | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, arguments: given, parameters } = value as Record<string, unknown>;
  const values = given ?? parameters ?? {};
  if (typeof name !== 'string' || typeof values !== 'object' || Array.isArray(values)) return undefined;
  return { name, arguments: JSON.stringify(values) };
}

/** Length of the longest end of `text` with which `open` begins. */
function overlap(text: string, open: string): number {
  for (let length = Math.min(text.length, open.length - 1); length > 0; length--) if (text.endsWith(open.slice(0, length))) return length;
  return 0;
}
