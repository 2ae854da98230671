/** @file Which statement of a task the policy reads: the question as it stands, or the one that scouting completed. */
import type { Message } from '../../core/tasks/task.ts';
import { excerpt, type Row, TaskFileError } from './readRows.ts';

/** @throws TaskFileError naming the row that has no scouted statement. */
export function withStatement(messages: readonly Message[], statement: 'raw' | 'scouted', { where, columns }: Row): readonly Message[] {
  if (statement === 'raw') return messages;
  const { scouted } = columns;
  if (typeof scouted !== 'string' || scouted.trim() === '') {
    throw new TaskFileError(
      `${where}: expected the report of \`npm run scout\` in 'scouted' (statement: scouted), got ${excerpt(scouted ?? null)}; add it, or use statement: raw`,
    );
  }
  const last = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, i) => (i === last ? { ...message, content: scouted } : message));
}
