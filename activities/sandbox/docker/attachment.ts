/** @file The one stream between a worker and a box: attached before the box starts, so that nothing is missed, and its life line: when the stream closes, the box ends. */
import type { Socket } from 'node:net';
import type Dockerode from 'dockerode';

/** Header of the daemon's multiplexed stream: type, three zeros, length (big endian). */
const headerBytes = 8;
const [stdoutType, stderrType] = [1, 2];

/** What a supervisor writes there is a crash report, for messages only. */
const stderrBytesKept = 4096;

/** Longest piece that the daemon sends: it reads at most 32 KiB at a time. */
const longestPiece = 16 * 1024 * 1024;

export interface AttachmentEvents {
  readonly onData: (bytes: Buffer) => void;
  /** Once; the box is gone or going. */
  readonly onClose: (reason: string) => void;
}

export class Attachment {
  readonly #socket: Socket;
  readonly #events: AttachmentEvents;
  #pending: Buffer = Buffer.alloc(0);
  #stderr = '';
  #closed = false;

  static async open(container: Dockerode.Container, events: AttachmentEvents): Promise<Attachment> {
    const socket = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    return new Attachment(socket as unknown as Socket, events);
  }

  private constructor(socket: Socket, events: AttachmentEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#close(error.message));
    socket.on('close', () => this.#close('the stream ended'));
    socket.on('end', () => this.#close('the stream ended'));
  }

  /** Last words of the supervisor. */
  get stderr(): string {
    return this.#stderr;
  }

  write(bytes: Uint8Array): void {
    if (!this.#closed) this.#socket.write(bytes);
  }

  /** Ends the box's stdin with the connection: its supervisor exits, and the kernel ends everything in it. */
  destroy(): void {
    this.#socket.destroy();
    this.#close('it was closed here');
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#pending = this.#pending.byteLength === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (!this.#closed && this.#pending.byteLength >= headerBytes) {
      const length = this.#pending.readUInt32BE(4);
      if (length > longestPiece) this.#fail(`expected pieces of at most ${longestPiece} bytes from the daemon, got ${length}`);
      if (this.#pending.byteLength < headerBytes + length) return;
      const piece = this.#pending.subarray(0, headerBytes + length);
      this.#pending = this.#pending.subarray(headerBytes + length);
      this.#take(piece[0], piece.subarray(headerBytes));
    }
  }

  #take(type: number | undefined, bytes: Buffer): void {
    if (type === stdoutType) this.#events.onData(bytes);
    else if (type === stderrType) this.#stderr = (this.#stderr + bytes.toString('utf8')).slice(-stderrBytesKept);
    else this.#fail(`expected stdout or stderr from the daemon, got type ${type}`);
  }

  #fail(reason: string): void {
    this.#socket.destroy();
    this.#close(reason);
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    const words = this.#stderr.trim();
    this.#events.onClose(words === '' ? reason : `${reason}: ${words}`);
  }
}
