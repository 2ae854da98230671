/** @file The content-addressed artifact store: bytes named by their sha-256, so that a write can be repeated and a read can be checked. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef, Bytes, Text } from '../../core/rollout/types.ts';
import { writeFileAtomic } from './atomicWrite.ts';

/** Bytes up to this size travel inside payloads, so that 16 siblings × 12 turns stay below the 64 KiB of one payload. */
const inlineByteLimit = 256;

export class ArtifactStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(content: Uint8Array): Promise<ArtifactRef> {
    const ref = { sha256: createHash('sha256').update(content).digest('hex'), byteLength: content.byteLength };
    const known = await stat(this.#path(ref)).catch(() => undefined);
    if (known?.size !== ref.byteLength) await writeFileAtomic(this.#path(ref), content);
    return ref;
  }

  /** @throws Error when the artifact is missing or its content does not have the hash it is named by. */
  async get(ref: ArtifactRef): Promise<Uint8Array> {
    const content = await readFile(this.#path(ref)).catch((error: unknown) => {
      throw new Error(`artifact ${ref.sha256}: expected a file of ${ref.byteLength} bytes at ${this.#path(ref)}`, { cause: error });
    });
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (sha256 !== ref.sha256) throw new Error(`artifact ${ref.sha256}: expected this sha-256, got ${sha256}; the file was changed or torn`);
    return content;
  }

  async toBytes(content: Uint8Array): Promise<Bytes> {
    if (content.byteLength <= inlineByteLimit) return { base64: Buffer.from(content).toString('base64') };
    return { ref: await this.put(content) };
  }

  async fromBytes(bytes: Bytes): Promise<Uint8Array> {
    return 'ref' in bytes ? this.get(bytes.ref) : Buffer.from(bytes.base64, 'base64');
  }

  async toText(text: string): Promise<Text> {
    const content = Buffer.from(text, 'utf8');
    return content.byteLength <= inlineByteLimit ? { text } : { ref: await this.put(content) };
  }

  async fromText(text: Text): Promise<string> {
    return 'ref' in text ? Buffer.from(await this.get(text.ref)).toString('utf8') : text.text;
  }

  #path(ref: ArtifactRef): string {
    return join(this.#root, ref.sha256.slice(0, 2), ref.sha256.slice(2));
  }
}
