/** @file Collects a stream's bytes up to a limit and decodes them once. */

export class CappedOutput {
  readonly #chunks: Buffer[] = [];
  #room: number;
  truncated = false;

  constructor(byteLimit: number) {
    this.#room = byteLimit;
  }

  write(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#room);
    if (kept.byteLength < bytes.byteLength) this.truncated = true;
    if (kept.byteLength === 0) return;
    this.#chunks.push(Buffer.from(kept));
    this.#room -= kept.byteLength;
  }

  text(): string {
    // A character cut in two at the limit is dropped, not replaced.
    return new TextDecoder('utf-8').decode(Buffer.concat(this.#chunks), { stream: this.truncated });
  }
}
