/** @file The memory that this process may use: the machine's, or less where a container limits it. */
import { totalmem } from 'node:os';

export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
