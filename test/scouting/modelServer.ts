/**
 * @file A scripted model behind the OpenAI-compatible protocol, over real HTTP: it streams, refuses, stalls, cuts off and talks nonsense as told,
 * and remembers every request and whether its answer went out whole.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';

export type StageName = 'scope' | 'analyze' | 'synthesize';

export interface AskedRequest {
  readonly stage: StageName;
  /** Of an analysis: `src/app.py:Server.start`. */
  readonly target: string | undefined;
  readonly system: string;
  /** Contents of the messages after the system's, in order. */
  readonly messages: readonly string[];
  /** Complaints that were sent back: 0 is the first question. */
  readonly repairs: number;
  readonly atMs: number;
  /** The last byte of a usable HTTP answer was handed to the connection. */
  answered: boolean;
}

export type Behaviour =
  /** Streamed as JSON, or as it is when a text. */
  | { readonly answer: object | string; readonly finishReason?: 'stop' | 'length'; readonly everyMs?: number; readonly usage?: boolean }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Calls a tool that nobody offered. */
  | { readonly tool: string }
  /** Ends the connection in the middle of the answer. */
  | { readonly cutAfter: string }
  /** Headers, one token, then nothing. */
  | { readonly silent: true };

/** May wait before it says how to behave; `times` is how often exactly this request came before. */
export type Script = (request: AskedRequest, times: number) => Behaviour | Promise<Behaviour>;

export class ModelServer {
  readonly requests: AskedRequest[] = [];
  script: Script;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(script: Script) {
    this.script = script;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(script: Script): Promise<ModelServer> {
    const server = new ModelServer(script);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  of(stage: StageName): AskedRequest[] {
    return this.requests.filter((request) => request.stage === stage);
  }

  /** Requests that came again although they had been answered whole. */
  get repeated(): string[] {
    const answered = this.requests.filter((request) => request.answered).map(keyOf);
    return answered.filter((key, i) => answered.indexOf(key) !== i);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const asked = askedIn(JSON.parse(body) as ChatBody);
    const times = this.requests.filter((known) => keyOf(known) === keyOf(asked)).length;
    this.requests.push(asked);
    const behaviour = await this.script(asked, times);
    if (response.destroyed) return;
    await behave(behaviour, response);
    if ('answer' in behaviour || 'tool' in behaviour) asked.answered = response.writableFinished;
  }
}

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

function askedIn({ messages }: ChatBody): AskedRequest {
  const [system, ...rest] = messages;
  const first = rest[0]?.content ?? '';
  const target = /\[target [0-9a-f]+ begins\]\n([^\n]+)/.exec(first)?.[1];
  const stage = target !== undefined ? 'analyze' : /^\[candidates [0-9a-f]+ begins\]$/m.test(first) ? 'scope' : 'synthesize';
  const repairs = rest.filter(({ role }) => role === 'assistant').length;
  return { stage, target, system: system?.content ?? '', messages: rest.map(({ content }) => content), repairs, atMs: Date.now(), answered: false };
}

function keyOf({ system, messages }: AskedRequest): string {
  return JSON.stringify([system, messages]);
}

async function behave(behaviour: Behaviour, response: ServerResponse): Promise<void> {
  if ('status' in behaviour) {
    response.writeHead(behaviour.status, { 'content-type': 'application/json', ...behaviour.headers });
    response.end(behaviour.body ?? JSON.stringify({ error: { message: `scripted ${behaviour.status}` } }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  if ('silent' in behaviour) {
    event(response, { role: 'assistant', content: '{' });
    return;
  }
  if ('cutAfter' in behaviour) {
    event(response, { role: 'assistant', content: behaviour.cutAfter });
    await setTimeout(20);
    response.destroy();
    return;
  }
  if ('tool' in behaviour) {
    const call = { index: 0, id: 'call-1', type: 'function', function: { name: behaviour.tool, arguments: '{}' } };
    event(response, { role: 'assistant', tool_calls: [call] });
    await end(response, 'tool_calls', 10);
    return;
  }
  const text = typeof behaviour.answer === 'string' ? behaviour.answer : JSON.stringify(behaviour.answer);
  for (let at = 0; at < text.length; at += 40) {
    event(response, { content: text.slice(at, at + 40) });
    if (behaviour.everyMs) await setTimeout(behaviour.everyMs);
  }
  await end(response, behaviour.finishReason ?? 'stop', behaviour.usage === false ? undefined : Math.ceil(text.length / 4));
}

const base = { id: 'scripted', object: 'chat.completion.chunk', created: 0, model: 'scripted' };

function event(response: ServerResponse, delta: object, finishReason: string | null = null): void {
  response.write(`data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`);
}

/** Usage is what a test can count: 100 tokens a question. */
async function end(response: ServerResponse, finishReason: string, outputTokens: number | undefined): Promise<void> {
  event(response, {}, finishReason);
  if (outputTokens !== undefined) {
    const usage = { prompt_tokens: 100, completion_tokens: outputTokens, total_tokens: 100 + outputTokens };
    response.write(`data: ${JSON.stringify({ ...base, choices: [], usage })}\n\n`);
  }
  await new Promise<void>((resolve) => response.end('data: [DONE]\n\n', () => resolve()));
}
