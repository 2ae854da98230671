/** @file The training batch of one step: the rows that credit assignment hands to the update, and their bytes in the artifact store. */

/** One trajectory, ready for the loss. All four arrays have length T; entries where `sampledMask` is 0 are 0. */
export interface BatchRow {
  readonly taskId: string;
  readonly sibling: number;
  readonly tokens: Int32Array;
  /** 1 where the policy sampled the token. */
  readonly sampledMask: Uint8Array;
  readonly behaviorLogprobs: Float32Array;
  /** Advantage of the turn that the token belongs to. */
  readonly advantages: Float32Array;
}

/** `TWB1`, little-endian. */
const magic = 0x31425754;
const bytesPerToken = 4 + 1 + 4 + 4;

/**
 * Little-endian: magic, u32 rows; per row u32 sibling, u32 UTF-16 units of the task id, u32 T, then u16[units], i32[T] tokens, u8[T] mask,
 * f32[T] log-probabilities, f32[T] advantages. Equal rows give equal bytes, so the artifact's hash names the batch.
 */
export function encodeBatch(rows: readonly BatchRow[]): Uint8Array {
  const bytes = new Uint8Array(rows.reduce((sum, row) => sum + 12 + 2 * row.taskId.length + bytesPerToken * row.tokens.length, 8));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, rows.length, true);
  let offset = 8;
  for (const row of rows) offset = putRow(view, offset, row);
  return bytes;
}

function putRow(view: DataView, start: number, row: BatchRow): number {
  const { taskId, tokens, sampledMask, behaviorLogprobs, advantages } = row;
  for (const [name, array] of Object.entries({ sampledMask, behaviorLogprobs, advantages })) {
    if (array.length !== tokens.length) throw new Error(`encodeBatch ${taskId}/r${row.sibling}: expected ${tokens.length} ${name}, got ${array.length}`);
  }
  view.setUint32(start, row.sibling, true);
  view.setUint32(start + 4, taskId.length, true);
  view.setUint32(start + 8, tokens.length, true);
  const at = offsetsOf(start + 12, taskId.length, tokens.length);
  for (let i = 0; i < taskId.length; i++) view.setUint16(at.taskId + 2 * i, taskId.charCodeAt(i), true);
  for (let t = 0; t < tokens.length; t++) {
    view.setInt32(at.tokens + 4 * t, tokens[t] as number, true);
    view.setUint8(at.sampledMask + t, sampledMask[t] as number);
    view.setFloat32(at.behaviorLogprobs + 4 * t, behaviorLogprobs[t] as number, true);
    view.setFloat32(at.advantages + 4 * t, advantages[t] as number, true);
  }
  return at.end;
}

function offsetsOf(taskId: number, units: number, length: number) {
  const tokens = taskId + 2 * units;
  const sampledMask = tokens + 4 * length;
  const behaviorLogprobs = sampledMask + length;
  const advantages = behaviorLogprobs + 4 * length;
  return { taskId, tokens, sampledMask, behaviorLogprobs, advantages, end: advantages + 4 * length };
}

/** @throws Error when the bytes are not a batch, or not all of one. */
export function decodeBatch(bytes: Uint8Array): readonly BatchRow[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8 || view.getUint32(0, true) !== magic)
    throw new Error(`decodeBatch: expected a batch beginning with TWB1, got ${bytes.byteLength} other bytes`);
  const rows: BatchRow[] = [];
  let offset = 8;
  for (let i = 0; i < view.getUint32(4, true); i++) {
    const { row, end } = getRow(view, offset, i);
    rows.push(row);
    offset = end;
  }
  if (offset !== bytes.byteLength) throw new Error(`decodeBatch: expected ${offset} bytes for ${rows.length} rows, got ${bytes.byteLength}`);
  return rows;
}

function getRow(view: DataView, start: number, index: number): { readonly row: BatchRow; readonly end: number } {
  const count = (offset: number) => (start + 12 <= view.byteLength ? view.getUint32(start + offset, true) : Number.POSITIVE_INFINITY);
  const [sibling, units, length] = [count(0), count(4), count(8)];
  const at = offsetsOf(start + 12, units, length);
  if (!(at.end <= view.byteLength)) throw new Error(`decodeBatch: expected row ${index} to end at ${at.end}, got only ${view.byteLength} bytes`);
  const taskId = Array.from({ length: units }, (_, i) => String.fromCharCode(view.getUint16(at.taskId + 2 * i, true))).join('');
  const row = {
    taskId,
    sibling,
    tokens: Int32Array.from({ length }, (_, t) => view.getInt32(at.tokens + 4 * t, true)),
    sampledMask: Uint8Array.from({ length }, (_, t) => view.getUint8(at.sampledMask + t)),
    behaviorLogprobs: Float32Array.from({ length }, (_, t) => view.getFloat32(at.behaviorLogprobs + 4 * t, true)),
    advantages: Float32Array.from({ length }, (_, t) => view.getFloat32(at.advantages + 4 * t, true)),
  };
  return { row, end: at.end };
}
