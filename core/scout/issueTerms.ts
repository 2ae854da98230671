/** @file The terms of an issue with how often each stands in which of its parts. */
import { type IssueSpan, issueRoles } from './issueText.ts';
import { isStopword, termsOf } from './subtokens.ts';

export interface IssueTerm {
  readonly term: string;
  /** By the order of `issueRoles`. */
  readonly counts: readonly number[];
  /** Two words of prose that code could write as one identifier: "separability matrix". */
  readonly joined: boolean;
}

const mostTerms = 2000;
const word = /[\p{L}_$][\p{L}\p{N}_$]*/gu;

export function issueTermsOf(spans: readonly IssueSpan[]): IssueTerm[] {
  const counts = new Map<string, { readonly counts: number[]; joined: boolean }>();
  const add = (term: string, role: number, joined: boolean) => {
    const known = counts.get(term) ?? { counts: issueRoles.map(() => 0), joined };
    if (counts.size >= mostTerms && !counts.has(term)) return;
    known.counts[role] = (known.counts[role] as number) + 1;
    if (!joined) known.joined = false;
    counts.set(term, known);
  };
  for (const { role, text } of spans) {
    const number = issueRoles.indexOf(role);
    const words = text.match(word) ?? [];
    for (const each of words) for (const term of termsOf(each)) add(term, number, false);
    if (role === 'codeBlock' || role === 'traceback') continue;
    words.forEach((first, index) => {
      const second = words[index + 1];
      if (second === undefined || isStopword(first.toLowerCase()) || isStopword(second.toLowerCase())) return;
      const whole = termsOf(`${first.toLowerCase()}_${second.toLowerCase()}`).at(-1);
      if (whole !== undefined && whole.length > 5) add(whole, number, true);
    });
  }
  return [...counts].map(([term, { counts: byRole, joined }]) => ({ term, counts: byRole, joined }));
}
