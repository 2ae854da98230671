/** @file A hub on loopback: the parts of Hugging Face's API that fetching a model uses, over a directory, with the ways in which it can go wrong. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll } from 'vitest';

export interface HubServerOptions {
  readonly repo: string;
  readonly commit: string;
  readonly directory: string;
  /** Only who brings it is answered. */
  token?: string;
  /** Breaks the connection after so many bytes of a file; once. */
  breakAfter?: number | undefined;
  /** Answers `resolve` slowly, this many bytes at a time. */
  bytesAtATime?: number;
  /** Sends other bytes of the same length. */
  corrupt?: boolean;
  ignoresRanges?: boolean;
  /** What the listing says of sizes. */
  announcedSize?: number;
  status?: number;
  /** Weights come from there, as from the hub's large storage. */
  redirectWeights?: string;
  /** The listing goes on there. */
  nextPage?: string;
  leaveOut?: RegExp;
}

export interface HubServer {
  readonly url: string;
  readonly options: HubServerOptions;
  /** Paths of files that were asked for, with the range. */
  readonly asked: string[];
  /** Bytes of files that were sent. */
  sent: number;
  /** What requests of files and listings had as authorization. */
  readonly authorizations: (string | undefined)[];
}

export async function startHub(options: HubServerOptions): Promise<HubServer> {
  const server = createServer((request, response) => void answer(hub, request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const hub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    options,
    asked: [] as string[],
    sent: 0,
    authorizations: [] as (string | undefined)[],
  };
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return hub;
}

async function answer(hub: HubServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { repo, commit, token, status } = hub.options;
  const path = decodeURIComponent(new URL(request.url ?? '', hub.url).pathname);
  const refuse = (code: number, error: string) => response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  hub.authorizations.push(request.headers.authorization);
  if (status !== undefined) return void refuse(status, 'told to');
  if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
    return void refuse(request.headers.authorization === undefined ? 401 : 403, `Access to model ${repo} is restricted`);
  const json = (value: unknown) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if ([`/api/models/${repo}/revision/main`, `/api/models/${repo}/revision/v1`].includes(path)) return json({ _id: '1', id: repo, sha: commit });
  if (path === `/api/models/${repo}/tree/${commit}`) {
    const { nextPage } = hub.options;
    if (nextPage !== undefined) response.setHeader('link', `<${nextPage}${path}>; rel="next"`);
    return json(listing(hub.options));
  }
  const [, file] = new RegExp(`^/${repo}/resolve/${commit}/(.+)$`).exec(path) ?? [];
  if (file === undefined || !filesOf(hub.options).includes(file)) return void refuse(404, 'Repository or revision not found');
  if (hub.options.redirectWeights !== undefined && file.endsWith('.safetensors'))
    return void response.writeHead(302, { location: `${hub.options.redirectWeights}${request.url}` }).end();
  return sendFile(hub, file, request, response);
}

function filesOf({ directory, leaveOut }: HubServerOptions): string[] {
  return readdirSync(directory).filter((name) => !leaveOut?.test(name));
}

/** Weights in large storage, the rest in git, as the hub has it. */
function listing(options: HubServerOptions): object[] {
  const folder = { type: 'directory', path: 'onnx', oid: '0'.repeat(40), size: 0 };
  return [folder, ...filesOf(options).map((path) => listedFile(options, path))];
}

function listedFile({ directory, announcedSize }: HubServerOptions, path: string): object {
  const content = readFileSync(join(directory, path));
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  if (!path.endsWith('.safetensors')) return { type: 'file', path, oid, size: content.length };
  const size = announcedSize ?? content.length;
  return { type: 'file', path, oid: '1'.repeat(40), size, lfs: { oid: createHash('sha256').update(content).digest('hex'), size, pointerSize: 130 } };
}

async function sendFile(hub: HubServer, file: string, { headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  const { directory, corrupt, ignoresRanges, bytesAtATime = Number.POSITIVE_INFINITY } = hub.options;
  hub.asked.push(headers.range === undefined ? file : `${file} ${headers.range}`);
  const content = readFileSync(join(directory, file));
  if (corrupt && file.endsWith('.safetensors')) content[content.length - 1] = (content[content.length - 1] ?? 0) ^ 1;
  const from = ignoresRanges ? 0 : Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  if (from > content.length) return void response.writeHead(416).end();
  const range = from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from, ...range });
  for (let at = from; at < content.length && !response.destroyed; ) {
    const limit = Math.min(bytesAtATime, hub.options.breakAfter ?? Number.POSITIVE_INFINITY, content.length - at);
    response.write(content.subarray(at, at + limit));
    hub.sent += limit;
    at += limit;
    if (hub.options.breakAfter !== undefined && at < content.length) {
      hub.options.breakAfter = undefined;
      await setTimeout(100);
      response.destroy();
      return;
    }
    if (bytesAtATime < content.length) await setTimeout(20);
  }
  response.end();
}

/** Where nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
