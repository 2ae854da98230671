/** @file Requests to a box and their answers, over its one stream. Whatever was not asked for, or not signed by the box's supervisor, ends the box. */
import { randomBytes } from 'node:crypto';
import type Dockerode from 'dockerode';
import { SandboxBroken, SandboxForged } from '../sandbox.ts';
import { Attachment } from './attachment.ts';
import { AnswerReader, encodeRequest, ForgedFrame } from './frames.ts';
import { type Answer, newRequestId, type Request, type RequestId } from './protocol.ts';

/** A request without its id; `cancel` has none and is `Channel.cancel`. */
export type Question = Request extends infer Each
  ? Each extends { readonly op: 'cancel' | 'hello' }
    ? never
    : Each extends Request
      ? Omit<Each, 'id'>
      : never
  : never;

export interface Lifetimes {
  /** The box ends when it has heard nothing for so long. */
  readonly silenceMs: number;
  readonly lifetimeMs: number;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class Channel {
  readonly #name: string;
  readonly #onClose: () => void;
  readonly #key = randomBytes(32);
  readonly #answers = new AnswerReader(this.#key);
  readonly #pending = new Map<RequestId, Pending>();
  #attachment: Attachment | undefined;
  #ended: SandboxBroken | undefined;

  /** Attaches to a container that was not started yet. `onClose` is called once, when no answer can come any more. */
  static async attach(container: Dockerode.Container, name: string, onClose: () => void): Promise<Channel> {
    const channel = new Channel(name, onClose);
    channel.#attachment = await Attachment.open(container, {
      onData: (bytes) => channel.#receive(bytes),
      onClose: (reason) => channel.#end(new SandboxBroken(`${name}: ${reason}`)),
    });
    return channel;
  }

  private constructor(name: string, onClose: () => void) {
    this.#name = name;
    this.#onClose = onClose;
  }

  get alive(): boolean {
    return this.#ended === undefined;
  }

  hello(lifetimes: Lifetimes, timeoutMs: number): Promise<Answer> {
    return this.#send({ op: 'hello', id: newRequestId(), key: this.#key.toString('base64'), ...lifetimes }, timeoutMs).answer;
  }

  /** Resolves with the answer. @throws SandboxBroken when none comes within `timeoutMs`, or the box ends first. */
  ask(question: Question, timeoutMs: number): { readonly id: RequestId; readonly answer: Promise<Answer> } {
    return this.#send({ ...question, id: newRequestId() }, timeoutMs);
  }

  cancel(target: RequestId): void {
    if (this.alive) this.#attachment?.write(encodeRequest({ op: 'cancel', target }));
  }

  /** Closing the stream is what ends the box. Idempotent. */
  close(reason: string): void {
    this.#end(new SandboxBroken(`${this.#name}: ${reason}`));
  }

  #send(request: Exclude<Request, { readonly op: 'cancel' }>, timeoutMs: number): { id: RequestId; answer: Promise<Answer> } {
    const { id } = request;
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const frame = encodeRequest(request);
      const timer = setTimeout(() => this.close(`expected an answer to ${request.op} within ${timeoutMs} ms, none came`), timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#attachment?.write(frame);
    });
    return { id, answer };
  }

  #receive(bytes: Buffer): void {
    if (this.#ended !== undefined) return;
    try {
      for (const answer of this.#answers.push(bytes)) this.#accept(answer);
    } catch (error) {
      if (!(error instanceof ForgedFrame)) throw error;
      this.#end(new SandboxForged(`${this.#name}: ${error.message}`, { cause: error }));
    }
  }

  #accept(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) throw new ForgedFrame(`expected an answer to a request of this host, got ${answer.op} to another`);
    this.#pending.delete(answer.id);
    clearTimeout(pending.timer);
    pending.resolve(answer);
  }

  #end(reason: SandboxBroken): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#pending.clear();
    this.#attachment?.destroy();
    this.#onClose();
  }
}
