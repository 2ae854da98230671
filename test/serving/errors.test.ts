/** @file Bad requests get the status, the code and the parameter that OpenAI's client makes its errors from, before anything is decoded. */
import { connect } from 'node:net';
import OpenAI from 'openai';
import { beforeAll, expect, test } from 'vitest';
import { noisyPolicy, serve, type TestServer } from './server.ts';

let served: TestServer;
beforeAll(async () => {
  served = await serve(await noisyPolicy(128), { maxChoices: 8, bodyBytes: 20_000 });
});

const messages = [{ role: 'user', content: 'Hi' }];
const good = { model: 'tested', messages, max_tokens: 2 };

function post(body: unknown, headers: Record<string, string> = {}, path = '/chat/completions'): Promise<Response> {
  return fetch(served.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

test.each<[string, object, string | null, string]>([
  ['no messages', { messages: undefined }, 'messages', 'missing_required_parameter'],
  ['empty messages', { messages: [] }, 'messages', 'invalid_value'],
  ['a role that is none', { messages: [{ role: 'robot', content: '' }] }, 'messages[0].role', 'invalid_value'],
  ['content of a wrong type', { messages: [{ role: 'user', content: 3 }] }, 'messages[0].content', 'invalid_value'],
  ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }, 'messages[0].content', 'invalid_value'],
  ['a temperature beyond its range', { temperature: 2.5 }, 'temperature', 'invalid_value'],
  ['a temperature that is text', { temperature: 'hot' }, 'temperature', 'invalid_type'],
  ['top_p beyond its range', { top_p: 1.2 }, 'top_p', 'invalid_value'],
  ['no choices', { n: 0 }, 'n', 'invalid_value'],
  ['no tokens', { max_tokens: 0 }, 'max_tokens', 'invalid_value'],
  ['two limits', { max_completion_tokens: 3 }, 'max_tokens', 'invalid_value'],
  ['an empty stop text', { stop: [''] }, 'stop[0]', 'invalid_value'],
  ['a seed with a fraction', { seed: 1.5 }, 'seed', 'invalid_type'],
  ['top_logprobs by itself', { top_logprobs: 2 }, 'top_logprobs', 'invalid_value'],
  ['stream_options by itself', { stream_options: { include_usage: true } }, 'stream_options', 'invalid_value'],
  ['a penalty', { presence_penalty: 0.5 }, 'presence_penalty', 'invalid_value'],
  ['biases', { logit_bias: { 3: 1 } }, 'logit_bias', 'invalid_value'],
  ['constrained output', { response_format: { type: 'json_object' } }, 'response_format.type', 'invalid_value'],
  ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools', 'invalid_value'],
  ['a parameter that is none', { temprature: 1 }, 'temprature', 'unknown_parameter'],
  ['a long conversation', { messages: [{ role: 'user', content: 'word '.repeat(40) }] }, 'messages', 'context_length_exceeded'],
])('%s', async (_, change, param, code) => {
  const response = await post({ ...good, ...change });
  const { error } = (await response.json()) as { error: { message: string; type: string; param: string | null; code: string } };
  expect({ status: response.status, ...error, message: '' }).toEqual({ status: 400, type: 'invalid_request_error', param, code, message: '' });
  expect(error.message).toContain(`${param}: expected`);
  expect(served.outcomes).toEqual([]);
});

test('a message says what was expected and what it got', async () => {
  const error = await served.client.chat.completions.create({ ...good, temperature: 3 } as never).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  expect(error).toMatchObject({ status: 400, code: 'invalid_value', param: 'temperature', type: 'invalid_request_error' });
  expect((error as Error).message).toMatch(/temperature: .*expected number to be <=2, got 3/);
});

test('null is what clients write for nothing', async () => {
  const nothing = { temperature: null, top_p: null, n: null, stop: null, seed: null, logprobs: null, tools: null, stream: null, user: 'me', metadata: null };
  expect((await post({ ...good, ...nothing })).status).toBe(200);
  served.outcomes.length = 0;
});

test.each([
  ['another model', () => post({ ...good, model: 'gpt-5' }), 404, 'model_not_found'],
  ['another path', () => post(good, {}, '/completions'), 404, 'unknown_url'],
  ['an unknown model by name', () => fetch(`${served.url}/models/a%2Fb%25`), 404, 'model_not_found'],
  ['another method', () => fetch(`${served.url}/chat/completions`), 405, 'method_not_allowed'],
  ['no JSON', () => post('{"model": '), 400, 'invalid_json'],
  ['a list', () => post([]), 400, 'invalid_type'],
  ['a page of another origin', () => post(good, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
  ['a large body', () => post({ ...good, messages: [{ role: 'user', content: 'x'.repeat(5_000_000) }] }), 413, 'request_too_large'],
  ['more choices than there is room for', () => post({ ...good, n: 9 }), 503, 'overloaded'],
])('%s', async (_, request, status, code) => {
  const response = await request();
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code, message: expect.stringMatching(/expected/) } });
  expect(served.outcomes).toEqual([]);
});

test('a body without a length is cut at the limit', async () => {
  const { hostname, port } = new URL(served.url);
  const socket = connect(Number(port), hostname);
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
  socket.write(chunk + chunk);
  const [answer] = await new Promise<[Buffer]>((resolve) => socket.once('data', (data) => resolve([data])));
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
});

test('a key is asked for where the server has one', async () => {
  const guarded = await serve(served.policy.directory.path, { apiKey: 'secret' });
  expect((await guarded.client.models.list()).data).toHaveLength(1);
  const stranger = new OpenAI({ baseURL: guarded.url, apiKey: 'guess', maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
  await expect(stranger.chat.completions.create(good as never)).rejects.toThrow(OpenAI.AuthenticationError);
  expect((await fetch(guarded.url.replace('/v1', '/health'))).status).toBe(200);
});

test('a taken port is an error', async () => {
  await expect(serve(served.policy.directory.path, { port: Number(new URL(served.url).port) })).rejects.toThrow(/EADDRINUSE/);
});
