/**
 * @file Refuses chat templates that rewrite earlier turns. With those, the tokens of a conversation are not its earlier tokens plus new ones,
 * and a policy would be trained on other tokens than it sampled.
 */
import type { Message } from '../../../core/tasks/task.ts';
import type { ChatTemplate } from './chatTemplate.ts';

/** Contents that known templates treat specially when a later message follows. */
const assistantContents = ['a', '<think>\nt\n</think>\n\na', '<tool_call>\n{"name": "n"}\n</tool_call>'];

/** @throws Error with the two renderings when a template is not prefix-preserving over three turns. */
export function assertPrefixPreserving(template: ChatTemplate, path: string): void {
  for (const content of assistantContents) {
    const messages: Message[] = [{ role: 'user', content: 'u' }];
    for (let turn = 0; turn < 3; turn++) {
      const prompt = template.text(messages, true);
      messages.push({ role: 'assistant', content });
      assertPrefix(prompt + content, template.text(messages, false), path);
      messages.push({ role: 'tool', content: `observation ${turn}` });
      assertPrefix(prompt + content, template.text(messages, true), path);
    }
  }
}

function assertPrefix(earlier: string, later: string, path: string): void {
  if (later.startsWith(earlier)) return;
  throw new Error(
    `${path}: expected a chat template that only appends, got one that rewrites earlier turns: ${JSON.stringify(earlier)} became ${JSON.stringify(later.slice(0, earlier.length + 40))}; ` +
      'put a chat_template.jinja beside the tokenizer that prints every turn as it was sampled',
  );
}
