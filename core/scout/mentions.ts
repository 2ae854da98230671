/** @file What an issue names outright: paths, dotted names, symbols, and the frames of tracebacks. */
import type { IssueSpan } from './issueText.ts';

export interface PathMention {
  readonly kind: 'path';
  readonly text: string;
  readonly path: string;
}

export interface SymbolMention {
  readonly kind: 'symbol';
  /** As written: `Server.start`, `django.db.models.Model`. */
  readonly text: string;
  readonly inTitle: boolean;
  /** Between backticks, called, or in a code block. */
  readonly asCode: boolean;
}

export interface FrameMention {
  readonly kind: 'traceback';
  readonly text: string;
  readonly path: string;
  readonly line: number;
  readonly function: string;
  /** 0 is the innermost frame of its traceback. */
  readonly depth: number;
}

export type IssueMention = PathMention | SymbolMention | FrameMention;

const path = /(?:[\w.-]+[\\/])*[\w-]+(?:\.[\w-]+)*\.(?:pyi?|[mc]?[jt]sx?|go|java|rs)\b/g;
const pythonFrame = /File "([^"\n]+)", line (\d+)(?:, in ([\w<>]+))?/;
const plainFrame = /((?:[\w.-]+[\\/])*[\w.-]+\.(?:py|[mc]?[jt]sx?|go|java|rs)):(\d+)/;
const symbol = /[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::)[A-Za-z_][A-Za-z0-9_]*)*/g;
const mostMentions = 500;

export function mentionsOf(spans: readonly IssueSpan[]): IssueMention[] {
  const frames = framesOf(spans);
  const others = new Map<string, PathMention | SymbolMention>();
  for (const span of spans) {
    for (const mention of namedIn(span)) {
      const key = `${mention.kind} ${mention.text}`;
      const known = others.get(key);
      others.set(key, known && known.kind === 'symbol' && mention.kind === 'symbol' ? joined(known, mention) : mention);
    }
  }
  return [...frames, ...others.values()].slice(0, mostMentions);
}

function joined(a: SymbolMention, b: SymbolMention): SymbolMention {
  return { ...a, inTitle: a.inTitle || b.inTitle, asCode: a.asCode || b.asCode };
}

function namedIn({ role, text }: IssueSpan): (PathMention | SymbolMention)[] {
  if (role === 'traceback') return [];
  const paths = [...text.matchAll(path)].map(([written]): PathMention => ({ kind: 'path', text: written, path: written.replaceAll('\\', '/') }));
  const rest = text.replace(path, ' ');
  const symbols = [...rest.matchAll(symbol)].flatMap(({ 0: written, index }): SymbolMention[] => {
    const asCode = role === 'inlineCode' || role === 'codeBlock' || rest[index + written.length] === '(';
    return written.length > 2 && (asCode || looksLikeCode(written) || role === 'title')
      ? [{ kind: 'symbol', text: written, inTitle: role === 'title', asCode }]
      : [];
  });
  return [...paths, ...symbols];
}

/** Nobody writes English like this: an underscore, a dot inside, or capitals after small letters. */
function looksLikeCode(written: string): boolean {
  return /[a-z][A-Z]|\w_\w|\w\.\w|::/.test(written) || /^[A-Z][a-z]+[A-Z]/.test(written);
}

function framesOf(spans: readonly IssueSpan[]): FrameMention[] {
  const frames: FrameMention[] = [];
  let current: Omit<FrameMention, 'depth'>[] = [];
  const close = () => {
    frames.push(...current.toReversed().map((frame, depth) => ({ ...frame, depth })));
    current = [];
  };
  for (const { role, text } of spans) {
    if (role !== 'traceback' || text.includes('Traceback (most recent call last)')) close();
    if (role !== 'traceback') continue;
    const [written, file, line, name] = pythonFrame.exec(text) ?? plainFrame.exec(text) ?? [];
    if (written && file) current.push({ kind: 'traceback', text: written, path: file.replaceAll('\\', '/'), line: Number(line), function: name ?? '' });
  }
  close();
  return frames;
}
