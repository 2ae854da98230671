/** @file Calls of tools: found in any stretches of text, and told of by the chat templates of the common families. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChatTemplate } from '../../activities/policy/tokenizer/chatTemplate.ts';
import { type CalledTool, ToolCalls } from '../../activities/serving/toolCalls.ts';
import { printsTools, type ToolFormat, toolFormatOf } from '../../activities/serving/toolFormat.ts';

const tagged: ToolFormat = { kind: 'tagged', open: '<tool_call>', close: '</tool_call>' };
const list: ToolFormat = { kind: 'list', open: '[TOOL_CALLS]' };
const bare: ToolFormat = { kind: 'bare' };
const f = (value: unknown) => ({ name: 'f', arguments: JSON.stringify(value) });

function read(format: ToolFormat, pieces: readonly string[]): { text: string; calls: readonly CalledTool[] } {
  const calls = new ToolCalls(format, ['f']);
  const outputs = [...pieces.map((piece) => calls.push(piece)), calls.end()];
  return { text: outputs.map(({ text }) => text).join(''), calls: outputs.flatMap((output) => output.calls) };
}

const cases: readonly (readonly [ToolFormat, string, string, readonly CalledTool[]])[] = [
  [tagged, 'Just a text.', 'Just a text.', []],
  [tagged, 'Let me see.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>', 'Let me see.', [f({ a: 1 })]],
  [tagged, '<tool_call>{"name": "f"}</tool_call>\n<tool_call>{"name": "f", "arguments": {"b": "</x>"}}</tool_call>', '', [f({}), f({ b: '</x>' })]],
  [tagged, 'a <tool_call>\nno json\n</tool_call> b', 'a <tool_call>\nno json\n</tool_call> b', []],
  [tagged, 'a <tool_call>\n{"name": "f", ', 'a <tool_call>\n{"name": "f", ', []],
  [tagged, 'a <tool', 'a <tool', []],
  [bare, '{"name": "f", "parameters": {"a": 1}}', '', [f({ a: 1 })]],
  [bare, '{"other": 1}', '{"other": 1}', []],
  [bare, 'See {"name": "f", "parameters": {}}', 'See {"name": "f", "parameters": {}}', []],
  [bare, '{"name": "Ada", "age": 36}', '{"name": "Ada", "age": 36}', []],
  [bare, '{"name": "f", "parameters": [1]}', '{"name": "f", "parameters": [1]}', []],
  [bare, '', '', []],
  [list, '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {}}]', '', [f({ a: 1 }), f({})]],
  [list, 'text [TOOL', 'text [TOOL', []],
];

describe.each(cases)('%j: %j', (format, answer, text, calls) => {
  test('is read alike, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: answer.length }), { maxLength: 12 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), answer.length];
        const pieces = edges.slice(1).map((end, i) => answer.slice(edges[i], end));
        expect(read(format, pieces)).toEqual({ text, calls });
      }),
    );
  });
});

test('text before a call is shown as soon as it is sure', () => {
  const calls = new ToolCalls(tagged, ['f']);
  expect(['Hello ', 'you', ' <', 'b>', '<tool_c'].map((piece) => calls.push(piece).text)).toEqual(['Hello', ' you', '', ' <b>', '']);
});

const reference: { cases: { name: string; template: string }[] } = JSON.parse(readFileSync('test/tokenizer/chat_masks.json', 'utf8'));
const templateOf = (name: string) =>
  new ChatTemplate(reference.cases.find((one) => one.name === name)?.template ?? '', { bos_token: '', eos_token: '</s>', pad_token: '' });
const mistral = `{% for message in messages %}{% if message.role == 'user' %}{% if tools and loop.last %}[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}[INST] {{ message.content }}[/INST]{% elif message.tool_calls %}[TOOL_CALLS] [{% for call in message.tool_calls %}{{ '{"name": "' + call.function.name + '", "arguments": ' }}{{ call.function.arguments | tojson }}{{ ', "id": "' + call.id + '"}' }}{% endfor %}]{{ eos_token }}{% else %} {{ message.content }}{{ eos_token }}{% endif %}{% endfor %}`;

test('templates say how their policies call', () => {
  expect(toolFormatOf(templateOf('qwen'))).toEqual(tagged);
  expect(printsTools(templateOf('qwen'))).toBe(true);
  expect(toolFormatOf(templateOf('llama'))).toEqual(bare);
  expect(toolFormatOf(templateOf('smol'))).toBeUndefined();
  expect(printsTools(templateOf('smol'))).toBe(false);
  const withList = new ChatTemplate(mistral, { bos_token: '', eos_token: '</s>', pad_token: '' });
  expect([toolFormatOf(withList), printsTools(withList)]).toEqual([list, true]);
});
