/** @file What a sampled turn asks for, with its texts inline or in the artifact store. */
import { parseTurn, type TurnFormat } from '../../core/rollout/turnFormat.ts';
import type { Action } from '../../core/rollout/types.ts';
import type { ArtifactStore } from '../artifacts/store.ts';

export async function actionOf(store: ArtifactStore, text: string, format: TurnFormat): Promise<Action> {
  const parsed = parseTurn(text, format);
  if (parsed.kind === 'malformed') return { kind: 'malformed', reason: parsed.reason, text: await store.toText(text) };
  const content = parsed.kind === 'code' ? parsed.code : parsed.answer;
  const whole = format === 'fences' && saysMore(text, content) ? { text: await store.toText(text) } : {};
  return parsed.kind === 'code'
    ? { kind: 'code', code: await store.toText(content), ...whole }
    : { kind: 'answer', answer: await store.toText(content), ...whole };
}

/** What of a turn is only there to mark its code or answer. */
const markup = /^\s*(```\w*\s*```|<answer>\s*<\/answer>|\\boxed\{\s*\})\s*$/;

/** Whether a turn holds words of its own beside its code or answer, for people to read. */
function saysMore(text: string, content: string): boolean {
  const start = text.lastIndexOf(content);
  return start === -1 || !markup.test(text.slice(0, start) + text.slice(start + content.length));
}
