/** @file The event file of a run: appended to across restarts, each step of each tag once, a torn last record cut off. */

import type { FileHandle } from 'node:fs/promises';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { maskedCrc32c } from './crc32c.ts';
import { type ScalarEvent, scalarRecord, textRecord, versionRecord } from './tensorboard.ts';

/** TensorBoard takes every file whose name contains `tfevents`. */
const fileName = 'events.out.tfevents.turnwise';

export class EventFile {
  readonly #directory: string;
  readonly #description: string;
  /** Where the file ended when it was last looked at, and the last step of each tag: nothing is read again while nobody else wrote. */
  #seen: { readonly size: number; readonly lastSteps: ReadonlyMap<string, number> } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** `description` (Markdown) becomes the text `run` at the file's start. */
  constructor(directory: string, description: string) {
    this.#directory = directory;
    this.#description = description;
  }

  /** Writes the event unless its tags have reached this step already. */
  append(event: ScalarEvent): Promise<void> {
    const mine = this.#turn.then(() => this.#append(event));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #append(event: ScalarEvent): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const file = await open(join(this.#directory, fileName), 'a+');
    try {
      const { size, lastSteps } = await this.#look(file);
      const scalars = Object.fromEntries(
        Object.entries(event.scalars).filter(([tag, value]) => Number.isFinite(value) && !((lastSteps.get(tag) ?? -1) >= event.step)),
      );
      if (Object.keys(scalars).length === 0) return;
      const start = size === 0 ? [versionRecord(event.wallTimeSeconds), textRecord({ ...event, step: 0, tag: 'run', text: this.#description })] : [];
      const content = Buffer.concat([...start, scalarRecord({ ...event, scalars })]);
      await file.appendFile(content);
      await file.sync();
      const reached = Object.keys(scalars).map((tag) => [tag, event.step] as const);
      this.#seen = { size: size + content.length, lastSteps: new Map([...lastSteps, ...reached]) };
    } finally {
      await file.close();
    }
  }

  async #look(file: FileHandle): Promise<{ readonly size: number; readonly lastSteps: ReadonlyMap<string, number> }> {
    const { size } = await file.stat();
    if (this.#seen?.size === size) return this.#seen;
    const { events, byteLength } = readEvents(await file.readFile());
    if (byteLength < size) await file.truncate(byteLength);
    return { size: byteLength, lastSteps: new Map(events.flatMap(({ step, tags }) => tags.map((tag) => [tag, step] as const))) };
  }
}

export interface ReadEvent {
  readonly step: number;
  readonly wallTimeSeconds: number;
  readonly tags: readonly string[];
  /** One for each tag; undefined where the value is not a scalar. */
  readonly scalars: readonly (number | undefined)[];
}

/** Every whole record; stops at the first one that is cut off or whose checksum is wrong. */
export function readEvents(content: Buffer): { readonly events: readonly ReadEvent[]; readonly byteLength: number } {
  const events: ReadEvent[] = [];
  let offset = 0;
  while (offset + 16 <= content.length) {
    const length = Number(content.readBigUInt64LE(offset));
    const end = offset + 12 + length + 4;
    if (content.readUInt32LE(offset + 8) !== maskedCrc32c(content.subarray(offset, offset + 8)) || end > content.length) break;
    const message = content.subarray(offset + 12, end - 4);
    if (content.readUInt32LE(end - 4) !== maskedCrc32c(message)) break;
    events.push(readEvent(message));
    offset = end;
  }
  return { events, byteLength: offset };
}

function readEvent(message: Buffer): ReadEvent {
  const fields = readFields(message);
  const summary = fields.get(5)?.[0];
  const values = (Buffer.isBuffer(summary) ? (readFields(summary).get(1) ?? []) : []).map((value) => readFields(value as Buffer));
  const wallTime = fields.get(1)?.[0];
  return {
    step: Number(fields.get(2)?.[0] ?? 0),
    wallTimeSeconds: Buffer.isBuffer(wallTime) ? wallTime.readDoubleLE() : 0,
    tags: values.map((value) => String(value.get(1)?.[0] ?? '')),
    scalars: values.map((value) => (value.get(2)?.[0] as Buffer | undefined)?.readFloatLE()),
  };
}

/** Protocol-buffer fields by number; fixed-width values are left as their bytes. */
function readFields(message: Buffer): ReadonlyMap<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>();
  let offset = 0;
  const varint = () => {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = message.readUInt8(offset++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const slice = (length: number) => {
    offset += length;
    return message.subarray(offset - length, offset);
  };
  while (offset < message.length) {
    const tag = varint();
    const wire = tag & 7;
    const value = wire === 0 ? varint() : slice(wire === 1 ? 8 : wire === 5 ? 4 : varint());
    const field = tag >>> 3;
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}
