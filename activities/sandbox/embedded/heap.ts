/** @file The C heap of the loaded interpreter, made ready for sessions. */
import type { WebAssemblyInstance } from './boundary.ts';

/** Larger holes are filled by several of these. */
const largestBytes = 65536;
/** Bytes behind the topmost chunk that the allocator keeps to itself. */
const footBytes = 64;

/**
 * Loading leaves thousands of holes between live objects. A session that filled them would change a few bytes in every page of the heap (a thousand pages where seventy
 * do), so they are taken here, largest first, and never given back: what a session allocates lies together at the end.
 */
export function fillHoles({ exports }: WebAssemblyInstance): void {
  const call = (name: string, ...values: number[]) => (exports[name] as (...values: number[]) => number)(...values) >>> 0;
  const info = call('malloc', 40);
  call('mallinfo', info);
  const topByteLength = new Uint32Array(exports.memory.buffer, info, 10)[9] as number; // keepcost
  const top = call('sbrk', 0) - topByteLength - footBytes;
  for (let byteLength = largestBytes; byteLength >= 8; byteLength -= 8) {
    let address = call('malloc', byteLength);
    while (address < top) address = call('malloc', byteLength);
    call('free', address);
  }
}
