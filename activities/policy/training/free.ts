/** @file Memory of large arrays given back at once: garbage collection would come to it after many more of them have been made. */

/** The array has no elements afterwards. Its buffer must be its own. */
export function free({ buffer }: Float32Array): void {
  (buffer as ArrayBuffer).transfer(0);
}
