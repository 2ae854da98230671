/** @file Takes a prompt apart by its own mark: rules and blocks, whatever the data says. */
import type { Prompt } from '../../core/scout/prompts/prompt.ts';

/** What a prompt consists of: the rules, and the names of its blocks; every block closed by its own mark, in order. */
export function structureOf({ system, user }: Prompt): { readonly system: string; readonly blocks: readonly string[]; readonly rules: string } {
  const mark = /^\[\w+(?: T\d+)? ([0-9a-f]{16}) begins\]/.exec(user)?.[1] ?? '';
  const pieces = user.split(new RegExp(`^\\[([\\w ]+) ${mark} (begins|ends)\\]$`, 'm'));
  const blocks: string[] = [];
  for (let i = 1; i + 1 < pieces.length; i += 3) blocks.push(`${pieces[i]} ${pieces[i + 1]}`);
  return { system, blocks, rules: pieces.at(-1) ?? '' };
}
