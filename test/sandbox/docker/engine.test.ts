/** @file What a person reads when Docker cannot be used: real sockets that are missing, closed, forbidden, silent or wrong. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { chooseBackend } from '../../../activities/sandbox/choose.ts';
import { asked, engineOf, engineVersion, explained } from '../../../activities/sandbox/docker/engine.ts';
import { backendRequest } from '../../../workers/config/sandboxBackend.ts';

const directory = mkdtempSync(join(tmpdir(), 'engine-'));
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(directory, { recursive: true });
});

function engineAt(name: string) {
  return engineOf({ DOCKER_HOST: `unix://${join(directory, name)}` });
}

/** A daemon that answers everything with this, or nothing at all. */
async function listen(name: string, answer?: { status: number; body: unknown }) {
  const server = createServer((_request, response) => {
    if (answer) response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(join(directory, name), resolve));
  return engineAt(name);
}

describe('a daemon that cannot be asked', () => {
  test('has no socket: says how to install it', async () => {
    await expect(engineVersion(engineAt('none'))).rejects.toMatchObject({
      name: 'SandboxUnavailable',
      message: expect.stringMatching(/there is none: install Docker .*DOCKER_HOST.*TURNWISE_SANDBOX=embedded/),
    });
  });

  test('does not run: says how to start it', async () => {
    writeFileSync(join(directory, 'stale'), '');
    await expect(engineVersion(engineAt('stale'))).rejects.toMatchObject({
      name: 'SandboxUnavailable',
      message: expect.stringContaining('systemctl start docker'),
    });
  });

  test('may not be used by this user: says which group', async (context) => {
    const engine = await listen('forbidden', { status: 200, body: {} });
    chmodSync(join(directory, 'forbidden'), 0);
    const refusal = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      const socket = connect(engine.address, () => resolve(undefined)).on('error', resolve);
      socket.on('connect', () => socket.destroy());
    });
    if (refusal === undefined) {
      // Root may use every socket: what the system would have said is told to the same function.
      const error = explained(Object.assign(new Error('connect EACCES'), { code: 'EACCES' }), engine);
      expect(error).toMatchObject({ name: 'SandboxUnavailable', message: expect.stringContaining('usermod -aG docker') });
      return context;
    }
    await expect(engineVersion(engine)).rejects.toMatchObject({ name: 'SandboxUnavailable', message: expect.stringContaining('usermod -aG docker') });
    return context;
  });

  test('is silent: says so after a bounded time', async () => {
    const engine = await listen('silent');
    const startedAt = performance.now();
    await expect(engineVersion(engine, 200)).rejects.toMatchObject({
      name: 'SandboxUnavailable',
      message: expect.stringMatching(/within 0\.2 s, no answer came.*overloaded/),
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

test("what a daemon answers itself is not taken for a broken connection, and reads in the daemon's own words", async () => {
  const engine = await listen('refusing', { status: 500, body: { message: 'no space left on device' } });
  await expect(asked(engine, 'a container', () => engine.docker.createContainer({ Image: 'x' }))).rejects.toMatchObject({
    statusCode: 500,
    json: { message: 'no space left on device' },
  });
});

describe('choosing a backend', () => {
  test('asked for Docker by name, a machine without one is refused with the remedy', async () => {
    const request = backendRequest('command', 0, { TURNWISE_SANDBOX: 'docker' });
    await withHost('none', async () => {
      await expect(chooseBackend(request)).rejects.toMatchObject({ name: 'SandboxUnavailable', message: expect.stringContaining('install Docker') });
    });
  });

  test('left to itself, it takes the embedded one and says why', async () => {
    await withHost('none', async () => {
      const { backend, description } = await chooseBackend(backendRequest('command', 0, {}));
      await backend.shutdown();
      expect(backend.name).toBe('embedded');
      expect(description).toMatch(/^embedded sandbox.*no boundary against hostile code; Docker is not used: .*install Docker/);
    });
  });

  test('a variable that holds anything else is named before any work', () => {
    expect(() => backendRequest('command', 0, { TURNWISE_SANDBOX: 'podman' })).toThrow("TURNWISE_SANDBOX: expected auto, embedded, docker, got 'podman'");
    expect(() => backendRequest('command', 0, { TURNWISE_SANDBOX_REUSE: 'yes' })).toThrow("TURNWISE_SANDBOX_REUSE: expected afterReset, never, got 'yes'");
    expect(() => backendRequest('command', 0, { TURNWISE_SANDBOX_MEMORY: 'much' })).toThrow(
      "TURNWISE_SANDBOX_MEMORY: expected MiB for all boxes of a worker, 64 or more, got 'much'",
    );
  });
});

async function withHost(name: string, act: () => Promise<void>): Promise<void> {
  const before = process.env['DOCKER_HOST'];
  process.env['DOCKER_HOST'] = `unix://${join(directory, name)}`;
  try {
    await act();
  } finally {
    if (before === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = before;
  }
}
