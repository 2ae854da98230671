/** @file One box: a container whose process 1 is our supervisor, reached by one stream from its first moment to its last. */
import type Dockerode from 'dockerode';
import { SandboxBroken, SandboxUnavailable } from '../sandbox.ts';
import { Channel, type Lifetimes, type Question } from './channel.ts';
import { type BoxPlan, containerOptions } from './containerOptions.ts';
import { asked, type Engine, EngineUnreachable, engineMessage, statusOf } from './engine.ts';
import type { PooledBox } from './pool.ts';
import type { Answer, BoxFacts, Execution, RequestId } from './protocol.ts';
import { removeBox } from './reaper.ts';

/** What a busy machine may add to a limit before the box counts as broken. */
const answerGraceMs = 10_000;
const readyMs = 60_000;

/** Code that was cancelled has stopped within this, or its box is ended. */
const cancelGraceMs = 1000;

/** Three of them fit between two signs of life that the supervisor waits for. */
const pingsPerSilence = 3;

/** The box has no session any more, though nothing that ran in it said so: its head died between two turns. */
export class SessionGone extends SandboxBroken {}

/**
 * After a program the supervisor kills and wipes by itself, looks whether that is so, and ends the box where it is not. Asking it again after each would halve
 * the programs a second; it is asked after so many, and after every session.
 */
const runsBetweenResets = 16;

type Coded = Extract<Question, { readonly op: 'run' | 'open' | 'execute' }>;

export class Box implements PooledBox {
  readonly createdAt = Date.now();
  readonly memoryBytes: number;
  readonly facts: BoxFacts;
  /** Open in the supervisor after the last reset: a leak would make it grow. */
  openFiles: number | undefined;
  readonly #engine: Engine;
  readonly #containerId: string;
  readonly #channel: Channel;
  readonly #pings: NodeJS.Timeout;
  #runsSinceReset = 0;
  #heldSession = false;
  #destroyed: Promise<void> | undefined;

  /** Creates, attaches, starts, and waits until the supervisor answers. `onEnd` is called once, when the box is gone for whatever reason. */
  static async create(engine: Engine, plan: BoxPlan, lifetimes: Lifetimes, onEnd: () => void): Promise<Box> {
    const container = await createContainer(engine, plan);
    const events = { onEnd };
    let channel: Channel | undefined;
    try {
      channel = await asked(engine, 'the stream of a container', () => Channel.attach(container, `box ${container.id.slice(0, 12)}`, () => events.onEnd()));
      await asked(engine, 'a container to start', () => container.start());
      const answer = await channel.hello(lifetimes, readyMs);
      if (answer.op !== 'ready') throw new SandboxBroken(`box ${container.id.slice(0, 12)}: expected it to be ready, got ${answer.op}`);
      return new Box(engine, container.id, channel, plan, lifetimes, answer.facts);
    } catch (error) {
      channel?.close('it could not be started');
      await removeBox(engine.docker, container.id).catch(() => undefined);
      throw startFailure(error, plan);
    }
  }

  private constructor(engine: Engine, containerId: string, channel: Channel, plan: BoxPlan, { silenceMs }: Lifetimes, facts: BoxFacts) {
    this.#engine = engine;
    this.#containerId = containerId;
    this.#channel = channel;
    this.memoryBytes = plan.limits.memoryBytes;
    this.facts = facts;
    this.#pings = setInterval(() => {
      if (channel.alive) channel.ask({ op: 'ping' }, silenceMs).answer.catch(() => undefined);
      else clearInterval(this.#pings);
    }, silenceMs / pingsPerSilence);
    this.#pings.unref();
  }

  get alive(): boolean {
    return this.#channel.alive && this.#destroyed === undefined;
  }

  get containerId(): string {
    return this.#containerId;
  }

  /**
   * Runs code. When `signal` is aborted the code is stopped and the signal's reason is thrown.
   * @throws SandboxBroken when the box fails, and when it refuses what was asked.
   */
  async perform(question: Coded, signal: AbortSignal): Promise<Execution> {
    signal.throwIfAborted();
    if (question.op === 'run') this.#runsSinceReset += 1;
    else this.#heldSession = true;
    const { id, answer } = this.#channel.ask(question, question.limits.wallMs + answerGraceMs);
    const stopCancelling = this.#cancelWith(id, signal);
    try {
      const given = await answer;
      if (given.op === 'execution') {
        if (given.status === 'cancelled') signal.throwIfAborted();
        return given;
      }
      if (given.op === 'refused' && question.op === 'execute') throw new SessionGone(this.#unexpected(question.op, given).message);
      throw this.#unexpected(question.op, given);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      stopCancelling();
    }
  }

  get needsReset(): boolean {
    return this.#heldSession || this.#runsSinceReset >= runsBetweenResets;
  }

  /** False when something is left that should not be: the box is not to be used again. */
  async reset(): Promise<boolean> {
    const answer = await this.#channel.ask({ op: 'reset' }, answerGraceMs).answer;
    if (answer.op !== 'clean') throw this.#unexpected('reset', answer);
    const leaks = this.openFiles !== undefined && answer.openFiles > this.openFiles;
    this.openFiles ??= answer.openFiles;
    this.#heldSession = false;
    this.#runsSinceReset = 0;
    return answer.processesLeft === 0 && answer.filesLeft === 0 && !leaks;
  }

  async ping(): Promise<void> {
    await this.#channel.ask({ op: 'ping' }, answerGraceMs).answer;
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#destroy();
    return this.#destroyed;
  }

  async #destroy(): Promise<void> {
    clearInterval(this.#pings);
    this.#channel.close('it was ended');
    await asked(this.#engine, 'a container to be removed', () => removeBox(this.#engine.docker, this.#containerId));
  }

  #cancelWith(id: RequestId, signal: AbortSignal): () => void {
    let timer: NodeJS.Timeout | undefined;
    const cancel = () => {
      this.#channel.cancel(id);
      timer = setTimeout(() => this.#channel.close('its code did not stop after it was cancelled'), cancelGraceMs);
    };
    signal.addEventListener('abort', cancel, { once: true });
    return () => {
      signal.removeEventListener('abort', cancel);
      clearTimeout(timer);
    };
  }

  #unexpected(op: string, answer: Answer): SandboxBroken {
    return new SandboxBroken(
      `box ${this.#containerId.slice(0, 12)}: expected ${op} to be done, got ${answer.op === 'refused' ? `a refusal: ${answer.reason}` : answer.op}`,
    );
  }
}

async function createContainer(engine: Engine, plan: BoxPlan): Promise<Dockerode.Container> {
  try {
    return await asked(engine, 'a container to be created', () => engine.docker.createContainer(containerOptions(plan)));
  } catch (error) {
    throw startFailure(error, plan);
  }
}

/** What no other attempt can mend is unavailable; the rest is one box that broke. */
function startFailure(error: unknown, { image, runtime }: BoxPlan): Error {
  // It answered when this worker started, so it may be restarting.
  if (error instanceof EngineUnreachable) return new SandboxBroken(error.message, { cause: error });
  if (error instanceof SandboxBroken || error instanceof SandboxUnavailable) return error;
  const message = engineMessage(error);
  if (statusOf(error) === 404 && /no such image/i.test(message)) {
    return new SandboxUnavailable(
      `Docker: the image ${image} is missing: \`npm run sandbox -- --build\` makes it, from Python of this machine where nothing can be downloaded`,
    );
  }
  if (/unknown or invalid runtime|runtime name/i.test(message)) {
    return new SandboxUnavailable(
      `Docker: the runtime ${runtime ?? 'by default'} is not known to the daemon (${message}): install it, or unset TURNWISE_SANDBOX_RUNTIME`,
    );
  }
  if (/python3.*(not found|no such file)/i.test(message)) {
    return new SandboxUnavailable(`Docker: the image ${image} has no python3 (${message}): use an image with CPython 3.9 or later`);
  }
  return new SandboxBroken(`Docker could not start a box: ${message}`, { cause: error });
}
