/** @file An issue taken apart: its title, prose, code and tracebacks, so that each word is weighed by where it stands. */

export type IssueRole = 'title' | 'prose' | 'inlineCode' | 'codeBlock' | 'traceback';

export const issueRoles: readonly IssueRole[] = ['title', 'prose', 'inlineCode', 'codeBlock', 'traceback'];

export interface IssueSpan {
  readonly role: IssueRole;
  readonly text: string;
}

const longestIssue = 100_000;
const tracebackFrame = /^\s*(File "[^"\n]+", line \d+|at [\w.$<>]+\s*\(|[\w./-]+\.(go|rs|java|[jt]sx?):\d+)/;

/** Template comments, images, and addresses say nothing of the code; a link to a source file does and stays. */
function withoutNoise(issue: string): string {
  return issue
    .slice(0, longestIssue)
    .replace(/\r\n?/g, '\n')
    .replace(/<!--[\s\S]*?(-->|$)/g, '\n')
    .replace(/!\[[^\]\n]*\]\([^)\n]*\)/g, ' ')
    .replace(/\bhttps?:\/\/[^\s)>\]]+/g, (url) => sourcePathOf(url));
}

/** `https://github.com/o/r/blob/main/src/a.py#L3` → `src/a.py`. */
function sourcePathOf(url: string): string {
  return /\/(?:blob|tree|blame)\/[^/]+\/([^#?\s]+\.\w+)/.exec(url)?.[1] ?? ' ';
}

export function spansOf(issue: string): IssueSpan[] {
  const [title = '', ...rest] = withoutNoise(issue).trimStart().split('\n');
  const spans: IssueSpan[] = [...inlineSpans(title, 'title')];
  let fence: string | undefined;
  let inTraceback = false;
  for (const line of rest) {
    const mark = /^\s*(```|~~~)/.exec(line)?.[1];
    if (mark && (fence === undefined || fence === mark)) {
      fence = fence === undefined ? mark : undefined;
      inTraceback = false;
      continue;
    }
    if (/Traceback \(most recent call last\)/.test(line) || tracebackFrame.test(line)) inTraceback = true;
    else if (line.trim() === '' || (inTraceback && /^\S/.test(line) && fence === undefined && !/^[\w.]*(Error|Exception|Warning)\b/.test(line)))
      inTraceback = false;
    if (inTraceback) spans.push({ role: 'traceback', text: line });
    else if (fence !== undefined || /^( {4}|\t|>>> |\.\.\. )\S/.test(line)) spans.push({ role: 'codeBlock', text: line });
    else spans.push(...inlineSpans(line, 'prose'));
  }
  return spans;
}

/** Between backticks is code, single or double. */
function inlineSpans(line: string, role: 'title' | 'prose'): IssueSpan[] {
  return line
    .split(/(``[^`]+``|`[^`]+`)/)
    .map((text, index): IssueSpan => (index % 2 === 1 ? { role: role === 'title' ? 'title' : 'inlineCode', text: text.replaceAll('`', '') } : { role, text }))
    .filter(({ text }) => text.trim() !== '');
}
