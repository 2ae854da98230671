/** @file Tools through OpenAI's own client, with a policy that was taught on chats to call one and to answer from what it gave. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type OpenAI from 'openai';
import { beforeAll, expect, test } from 'vitest';
import { runPaths } from '../../activities/artifacts/paths.ts';
import { writePolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { initialPolicy } from '../../activities/trainer/initialPolicy.ts';
import { loadRunConfig } from '../../workers/config/runConfig.ts';
import { temporaryDirectory } from '../support/temporaryDirectory.ts';
import { run, TestedTrainer, testedConfig } from '../trainer/trainerProcess.ts';
import { noisyPolicy, serve, type TestServer } from './server.ts';

const template = `{% if tools %}<|user|>{% for tool in tools %}{{ tool.function.name }}{% endfor %}<|end|>{% endif %}{% for m in messages %}{% if m.role == 'assistant' %}<|bot|>{% generation %}{{ m.content }}{% for call in m.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|end|>{% endgeneration %}{% elif m.role == 'tool' %}<|tool|>{{ m.content }}<|end|>{% else %}<|user|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}`;
const tools: OpenAI.ChatCompletionFunctionTool[] = [{ type: 'function', function: { name: 'age', parameters: { type: 'object', properties: {} } } }];
const question = { role: 'user' as const, content: 'Age of kj?' };

let served: TestServer;
beforeAll(async () => {
  const home = await temporaryDirectory('tools');
  const untaught = join(home, 'untaught');
  const { weights, files } = await initialPolicy(loadRunConfig(undefined, ['policy={vocabulary: bytes, contextLength: 256}']));
  await writePolicyDirectory(untaught, { weights, files: new Map([...files, ['chat_template.jinja', Buffer.from(template)]]), card: '' });
  const call = { id: 'c', type: 'function', function: { name: 'age', arguments: '{"of": "kj"}' } };
  const messages = [
    question,
    { role: 'assistant', content: 'Hm.', tool_calls: [call] },
    { role: 'tool', content: '31', tool_call_id: 'c' },
    { role: 'assistant', content: 'It is 31' },
  ];
  const chats = join(home, 'chats.jsonl');
  writeFileSync(chats, `${JSON.stringify({ messages, tools })}\n${JSON.stringify({ messages: [question, { role: 'assistant', content: 'No idea' }] })}\n`);
  const optimizer = { lr: 0.003 };
  const warmup = { chats: { file: chats }, steps: 300, batchSize: 4, stepsPerCommit: 300, optimizer };
  const trainer = new TestedTrainer(home);
  await trainer.warmUpAll(testedConfig({ policy: { path: untaught, contextLength: 256 }, warmup })).finally(() => trainer.loaded.close());
  served = await serve(join(runPaths(home, run).checkpoints, 'warmup_step_300', 'policy'));
}, 180_000);

const ask = (changes: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) =>
  ({ model: 'tested', messages: [question], temperature: 0, tools, ...changes }) as OpenAI.ChatCompletionCreateParamsNonStreaming;

test('a call, its result, the answer', async () => {
  const first = await served.client.chat.completions.create(ask());
  const [choice] = first.choices;
  expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { role: 'assistant', content: 'Hm.' } });
  const call = choice?.message.tool_calls?.[0] as OpenAI.ChatCompletionMessageFunctionToolCall;
  expect(call).toEqual({ id: expect.stringMatching(/^call_/), type: 'function', function: { name: 'age', arguments: '{"of":"kj"}' } });
  const messages = [question, choice?.message as OpenAI.ChatCompletionMessage, { role: 'tool' as const, tool_call_id: call.id, content: '31' }];
  const second = await served.client.chat.completions.create(ask({ messages }));
  expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'It is 31' } });
  expect(second.choices[0]?.message.tool_calls).toBeUndefined();
});

test('streamed, the client puts together the same message', async () => {
  const whole = await served.client.chat.completions.create(ask());
  const stream = served.client.chat.completions.stream(ask({ n: 2 }) as never);
  const names: string[] = [];
  stream.on('tool_calls.function.arguments.done', ({ name }) => names.push(name));
  const final = await stream.finalChatCompletion();
  for (const choice of final.choices) {
    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message.content).toBe(whole.choices[0]?.message.content);
    expect(choice.message.tool_calls).toMatchObject([{ type: 'function', function: { name: 'age', arguments: '{"of":"kj"}' } }]);
  }
  expect(names).toEqual(['age', 'age']);
});

test('log-probabilities have every sampled token, those of calls too', async () => {
  const { choices, usage } = await served.client.chat.completions.create(ask({ logprobs: true }));
  const text = choices[0]?.logprobs?.content?.map(({ token }) => token).join('');
  expect(text).toBe('Hm.<tool_call>\n{"name": "age", "arguments": {"of": "kj"}}\n</tool_call>');
  expect(usage?.completion_tokens).toBe((choices[0]?.logprobs?.content?.length ?? 0) + 1);
});

test('without tools, or with tool_choice none, the policy is told of none', async () => {
  const answers = await Promise.all(
    [ask({ tool_choice: 'none' }), { ...ask(), tools: undefined }].map((parameters) => served.client.chat.completions.create(parameters as never)),
  );
  for (const answer of answers as OpenAI.ChatCompletion[]) expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'No idea' } });
});

test.each([
  ['a choice that would have to be forced', { tool_choice: 'required' }, 'tool_choice'],
  ['a named function', { tool_choice: { type: 'function', function: { name: 'age' } } }, 'tool_choice'],
  ['one call at most', { parallel_tool_calls: false }, 'parallel_tool_calls'],
  ['a strict schema', { tools: [{ type: 'function', function: { name: 'f', strict: true } }] }, 'tools[0].function.strict'],
  [
    'arguments that are no JSON',
    { messages: [question, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }] }] },
    'messages[1].tool_calls[0].function.arguments',
  ],
  ['markup in a definition', { tools: [{ type: 'function', function: { name: '<|end|>' } }] }, 'messages'],
])('%s is refused', async (_, changes, param) => {
  await expect(served.client.chat.completions.create(ask(changes as never))).rejects.toMatchObject({
    status: 400,
    param,
    message: expect.stringContaining('expected'),
  });
});

test('a policy whose template has no tools says so', async () => {
  const { client } = await serve(await noisyPolicy(128));
  await expect(client.chat.completions.create(ask())).rejects.toMatchObject({
    status: 400,
    param: 'tools',
    message: expect.stringContaining('chat template has no tools'),
  });
});
