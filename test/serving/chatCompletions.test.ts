/** @file Chat completions through OpenAI's own client over real HTTP: answers, streams, log-probabilities, seeds, many clients at once. */
import OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPolicyDirectory } from '../../activities/checkpoint/policyDirectory.ts';
import { Trainer } from '../../activities/policy/training/trainer.ts';
import { noisyPolicy, serve, type TestServer } from './server.ts';

type Parameters = OpenAI.ChatCompletionCreateParamsNonStreaming;

let served: TestServer;
beforeAll(async () => {
  served = await serve(await noisyPolicy());
});

const ask = (changes: Partial<Parameters> = {}): Parameters => ({
  model: 'tested',
  messages: [{ role: 'user', content: 'Count to three.' }],
  max_tokens: 24,
  seed: 7,
  ...changes,
});
const textOf = ({ choices }: OpenAI.ChatCompletion) => choices[0]?.message.content ?? '';

async function streamed(client: OpenAI, parameters: Parameters) {
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of await client.chat.completions.create({ ...parameters, stream: true })) chunks.push(chunk);
  return chunks;
}

test('the model is listed under its name', async () => {
  const models = await served.client.models.list();
  expect(models.data.map(({ id }) => id)).toEqual(['tested']);
  expect(await served.client.models.retrieve('tested')).toMatchObject({ id: 'tested', object: 'model', context_length: 1024 });
  const health = await fetch(served.url.replace('/v1', '/health'));
  expect(await health.json()).toEqual({ status: 'ok', model: 'tested', choicesInFlight: 0 });
});

test('an answer has text, usage and the reason of its end', async () => {
  const answer = await served.client.chat.completions.create(ask());
  const prompt = served.policy.tokenizer.encodePrompt([{ role: 'user', content: 'Count to three.' }]).length;
  expect(answer.object).toBe('chat.completion');
  expect(answer.choices).toHaveLength(1);
  expect(answer.choices[0]).toMatchObject({ index: 0, finish_reason: 'length', logprobs: null, message: { role: 'assistant' } });
  expect(textOf(answer).length).toBeGreaterThan(0);
  expect(answer.usage).toEqual({ prompt_tokens: prompt, completion_tokens: 24, total_tokens: prompt + 24 });
});

test('log-probabilities are those of the training graph, and the likeliest are sorted', async () => {
  const answer = await served.client.chat.completions.create(ask({ logprobs: true, top_logprobs: 3, temperature: 0.7 }));
  const content = answer.choices[0]?.logprobs?.content ?? [];
  expect(content).toHaveLength(24);
  const { tokenizer, directory } = served.policy;
  const idOf = new Map(Array.from({ length: tokenizer.vocabSize }, (_, id) => [tokenizer.bytesOf(id).toString(), id]));
  const sampled = content.map(({ bytes }) => idOf.get(Uint8Array.from(bytes ?? []).toString()) as number);
  const prompt = tokenizer.encodePrompt([{ role: 'user', content: 'Count to three.' }]);
  const { config, weights } = await readPolicyDirectory(directory.path);
  const trainer = new Trainer(config, weights, null, null);
  const tokens = Int32Array.from([...prompt, ...sampled]);
  const trained = tokens.map((_, i) => (i >= prompt.length ? 1 : 0));
  const [expected] = await trainer.logprobs([{ tokens, trained }], weights, 1, 4096, () => undefined);
  content.forEach(({ logprob, top_logprobs: top }, i) => {
    expect(logprob).toBeCloseTo(expected?.[prompt.length + i] as number, 4);
    expect(top.map((one) => one.logprob)).toEqual(top.map((one) => one.logprob).toSorted((a, b) => b - a));
    expect(top).toHaveLength(3);
    expect(top[0]?.logprob).toBeGreaterThanOrEqual(logprob);
  });
  await trainer.release();
});

test('a stream says the same as a whole answer, with usage where asked', async () => {
  const parameters = ask({ logprobs: true, n: 2, max_tokens: 40 });
  const whole = await served.client.chat.completions.create(parameters);
  const chunks = await streamed(served.client, { ...parameters, stream_options: { include_usage: true } } as never);
  for (const index of [0, 1]) {
    const own = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index));
    expect(own[0]?.delta.role).toBe('assistant');
    expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe(whole.choices[index]?.message.content);
    expect(own.flatMap(({ logprobs }) => logprobs?.content ?? [])).toEqual(whole.choices[index]?.logprobs?.content);
    expect(own.flatMap(({ finish_reason }) => finish_reason ?? [])).toEqual([whole.choices[index]?.finish_reason]);
  }
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage });
  expect(whole.choices[0]?.message.content).not.toBe(whole.choices[1]?.message.content);
  expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  expect(chunks.length).toBeGreaterThan(10);
});

describe('stop texts', () => {
  test('end the answer before them, whole and streamed', async () => {
    const text = textOf(await served.client.chat.completions.create(ask({ max_tokens: 60 })));
    const at = [...text].findIndex((character, i) => i > 5 && /[\x20-\x7e]/.test(character) && /[\x20-\x7e]/.test([...text][i + 1] ?? ''));
    expect(at).toBeGreaterThan(5);
    const stop = [...text].slice(at, at + 2).join('');
    const expected = text.slice(0, text.indexOf(stop));
    const answer = await served.client.chat.completions.create(ask({ max_tokens: 60, stop: ['never said', stop], logprobs: true }));
    expect(textOf(answer)).toBe(expected);
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    const bytes = (answer.choices[0]?.logprobs?.content ?? []).flatMap((token) => token.bytes ?? []);
    expect(Buffer.from(bytes).toString('utf8')).toBe(expected);
    const chunks = await streamed(served.client, ask({ max_tokens: 60, stop }));
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(expected);
    expect(await Promise.all(served.outcomes.slice(-2))).toEqual(['cancelled', 'cancelled']);
  });
});

test('a seeded answer is the same whatever else is in flight: sixteen clients at once', async () => {
  const parameters = Array.from({ length: 16 }, (_, i) => {
    const prompt = 'word '.repeat(1 + 3 * i);
    return ask({ messages: [{ role: 'user', content: prompt }], seed: i, temperature: i % 4 === 0 ? 0 : 1, top_p: i % 3 === 0 ? 0.9 : 1, max_tokens: 30 + i });
  });
  const alone: string[] = [];
  for (const one of parameters) alone.push(textOf(await served.client.chat.completions.create(one)));
  expect(new Set(alone).size).toBeGreaterThan(12);
  const clients = parameters.map(() => new OpenAI({ baseURL: served.url, apiKey: 'none', maxRetries: 0 }));
  for (const order of [parameters, parameters.toReversed()]) {
    const together = await Promise.all(
      order.map(async (one, i) => {
        const client = clients[i] as OpenAI;
        if (i % 2 === 0) return textOf(await client.chat.completions.create(one));
        return (await streamed(client, one)).map(({ choices }) => choices[0]?.delta.content ?? '').join('');
      }),
    );
    expect(order === parameters ? together : together.toReversed()).toEqual(alone);
  }
}, 120_000);

test('without a seed two answers differ', async () => {
  const { seed: _, ...unseeded } = ask({ max_tokens: 40 });
  const answers = await Promise.all([1, 2].map(async () => textOf(await served.client.chat.completions.create(unseeded))));
  expect(answers[0]).not.toBe(answers[1]);
});

test('a client that leaves a stream, or gives up waiting, ends the decoding', async () => {
  const calls = served.outcomes.length;
  const stream = await served.client.chat.completions.create({ ...ask({ max_tokens: 900 }), stream: true });
  let seen = 0;
  for await (const _ of stream) {
    seen += 1;
    if (seen === 4) break; // closes the connection
  }
  const patience = new AbortController();
  const waiting = served.client.chat.completions.create(ask({ max_tokens: 900, n: 2 }), { signal: patience.signal });
  await expect.poll(() => served.outcomes.length).toBe(calls + 3);
  patience.abort();
  await expect(waiting).rejects.toThrow(OpenAI.APIUserAbortError);
  expect(await Promise.all(served.outcomes.slice(calls))).toEqual(['cancelled', 'cancelled', 'cancelled']);
  await expect.poll(async () => (await (await fetch(served.url.replace('/v1', '/health'))).json()).choicesInFlight).toBe(0);
});

test('a server that ends lets answers finish, and takes no new ones', async () => {
  const other = await serve(served.policy.directory.path);
  const answer = other.client.chat.completions.create(ask({ max_tokens: 200 }));
  await expect.poll(() => other.outcomes.length).toBe(1);
  const closed = other.server.close(60_000);
  await expect(other.client.chat.completions.create(ask())).rejects.toThrow(OpenAI.APIError);
  expect((await answer).usage?.completion_tokens).toBe(200);
  await closed;
});

test('when the grace is over, streams end with an error that the client throws', async () => {
  const other = await serve(served.policy.directory.path);
  const stream = await other.client.chat.completions.create({ ...ask({ max_tokens: 1000 }), stream: true });
  const reading = (async () => {
    for await (const _ of stream) void other.server.close(0);
  })();
  await expect(reading).rejects.toThrow(/shut down/);
  expect(await Promise.all(other.outcomes)).toEqual(['cancelled']);
});
