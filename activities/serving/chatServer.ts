/** @file The HTTP server: routes, key, errors as objects, clients that leave, and an end that lets answers finish. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, apiErrorOf } from './apiError.ts';
import { Admission, answerChat } from './chatCompletions.ts';
import { readJsonBody } from './requestBody.ts';
import type { ServedPolicy } from './servedPolicy.ts';

export interface ChatServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Clients must send it; undefined: they need none. */
  readonly apiKey?: string | undefined;
  /** Told of errors that are not a client's. */
  readonly report?: (error: Error) => void;
  readonly bodyBytes?: number;
  /** Choices that are sampled or wait for a place in the decoding batch. */
  readonly maxChoices?: number;
}

const defaultBodyBytes = 2 ** 20;
const defaultMaxChoices = 512;

/** What to do, by the code of an address that cannot be listened on. */
const refusals: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; choose another --port, or 0 for any that is free',
  EACCES: 'this user may not take that port; choose a --port from 1024 on',
  EADDRNOTAVAIL: 'this machine has no such address; choose a --host of its own, such as 127.0.0.1',
  ENOTFOUND: 'the name has no address; choose a --host of this machine, such as 127.0.0.1',
};

export class ChatServer {
  readonly #policy: ServedPolicy;
  readonly #options: ChatServerOptions;
  readonly #server: Server;
  readonly #admission: Admission;
  readonly #ending = new AbortController();
  readonly #startedAt = Math.floor(Date.now() / 1000);
  #draining = false;

  constructor(policy: ServedPolicy, options: ChatServerOptions) {
    this.#policy = policy;
    this.#options = options;
    this.#admission = new Admission(options.maxChoices ?? defaultMaxChoices);
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** @throws Error when the address cannot be listened on. Answers with the address that clients write as base URL. */
  async listen(): Promise<string> {
    const { host, port } = this.#options;
    this.#server.listen(port, host);
    await once(this.#server, 'listening').catch((error: NodeJS.ErrnoException) => {
      throw new Error(`serve: expected to listen on ${host}, port ${port}, got ${error.code}: ${refusals[error.code ?? ''] ?? error.message}`, {
        cause: error,
      });
    });
    const address = this.#server.address() as AddressInfo;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/v1`;
  }

  /** Takes no more requests; answers that are being written may go on for `graceMs`, then they end with an error. */
  async close(graceMs: number): Promise<void> {
    this.#draining = true;
    const closed = once(this.#server, 'close');
    this.#server.close();
    const grace = setTimeout(() => {
      this.#ending.abort(new ApiError({ status: 503, message: 'server: it is being shut down; try again later', code: 'shutting_down' }));
      setTimeout(() => this.#server.closeAllConnections(), 1000).unref();
    }, graceMs);
    await closed.finally(() => clearTimeout(grace));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client has gone')));
    try {
      await this.#route(request, response, AbortSignal.any([gone.signal, this.#ending.signal]));
    } catch (error) {
      const known = apiErrorOf(error);
      if (known.code === 'internal_error' && !gone.signal.aborted) this.#options.report?.(error as Error);
      writeError(response, known);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const pathname = (request.url ?? '/').replace(/[?#].*$/, '');
    const route = routes[pathname] ?? modelRoute(pathname);
    if (route === undefined) throw new ApiError({ status: 404, message: `${pathname}: expected ${Object.keys(routes).join(', ')}`, code: 'unknown_url' });
    if (request.method !== route.method) {
      const message = `${pathname}: expected ${route.method}, got ${request.method}`;
      throw new ApiError({ status: 405, message, code: 'method_not_allowed' });
    }
    if (this.#draining) throw new ApiError({ status: 503, message: 'server: it is being shut down', code: 'shutting_down' });
    if (route.name !== 'health') this.#requireKey(request);
    if (route.name === 'chat') {
      const body = await readJsonBody(request, this.#options.bodyBytes ?? defaultBodyBytes);
      return answerChat(this.#policy, this.#admission, body, response, signal);
    }
    const described = JSON.stringify(this.#described(route));
    response.writeHead(200, { 'content-type': 'application/json' }).end(described);
  }

  #described(route: Route): object {
    const { name, maxPositions } = this.#policy;
    if (route.name === 'health') return { status: 'ok', model: name, choicesInFlight: this.#admission.taken };
    const model = { id: name, object: 'model', created: this.#startedAt, owned_by: 'turnwise', context_length: maxPositions };
    if (route.name === 'models') return { object: 'list', data: [model] };
    if (route.model === name) return model;
    throw new ApiError({ status: 404, message: `model: expected ${name}, the only one here, got ${JSON.stringify(route.model)}`, code: 'model_not_found' });
  }

  #requireKey(request: IncomingMessage): void {
    const { apiKey } = this.#options;
    if (apiKey === undefined) return;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Hashes have equal lengths, whatever was given.
    if (timingSafeEqual(digest(given), digest(apiKey))) return;
    throw new ApiError({ status: 401, message: 'authorization: expected the key that the server was started with, as Bearer', code: 'invalid_api_key' });
  }
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly name: 'health' | 'models' | 'model' | 'chat';
  readonly model?: string;
}

const routes: Readonly<Record<string, Route>> = {
  '/v1/chat/completions': { method: 'POST', name: 'chat' },
  '/v1/models': { method: 'GET', name: 'models' },
  '/health': { method: 'GET', name: 'health' },
};

function modelRoute(pathname: string): Route | undefined {
  const prefix = '/v1/models/';
  if (!pathname.startsWith(prefix)) return undefined;
  const written = pathname.slice(prefix.length);
  try {
    return { method: 'GET', name: 'model', model: decodeURIComponent(written) };
  } catch {
    return { method: 'GET', name: 'model', model: written }; // no percent-encoding, hence no name of ours
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function writeError(response: ServerResponse, error: ApiError): void {
  if (response.headersSent || response.destroyed) return void response.end();
  // What is left of a body that was not read would be taken for the next request.
  response.writeHead(error.status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(error.body));
}
