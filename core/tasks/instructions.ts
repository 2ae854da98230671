/** @file What a chat model is told about its tools. Policies made from nothing learn the format from demonstrations and are told nothing. */
import type { Message, Task } from './task.ts';

/** The task's messages with the rules of the `fences` format in front, joined to a system message that is there already. */
export function withInstructions(task: Pick<Task, 'messages' | 'checker' | 'toolRequired' | 'maxTurns'>): readonly Message[] {
  const [first, ...rest] = task.messages;
  const rules = rulesFor(task);
  if (first?.role === 'system') return [{ role: 'system', content: `${first.content}\n\n${rules}` }, ...rest];
  return [{ role: 'system', content: rules }, ...task.messages];
}

function rulesFor(task: Pick<Task, 'checker' | 'toolRequired' | 'maxTurns'>): string {
  const answer =
    task.checker.kind === 'code'
      ? 'When you are sure, hand in the whole program between <answer> and </answer>; it reads standard input and prints to standard output.'
      : 'When you are sure, give the final answer, and nothing else, in \\boxed{}.';
  return [
    'You can run Python. Write one ```python block a turn; its output, and the value of its last line, come back to you. Variables last from turn to turn.',
    task.toolRequired ? 'Run code at least once before you answer.' : 'Answer directly where no code is needed.',
    answer,
    `You have ${task.maxTurns} turns.`,
  ].join('\n');
}
