/**
 * @file The edge of the box: the import table of the WebAssembly module. CPython reaches anything outside its linear memory through these functions only, so what is
 * not allowed here does not exist inside, whatever Python object a cell gets hold of. Open while the interpreter loads, sealed for good before the first cell.
 */

/** Unwinds the interpreter; memory has to be put back afterwards. */
export class CellEnded extends Error {
  override readonly name = 'CellEnded';
  readonly ending: 'interrupted' | 'outOfMemory' | 'exited' | 'crashed' | 'violation';

  constructor(ending: CellEnded['ending'], message: string) {
    super(message);
    this.ending = ending;
  }
}

type ImportFunction = (...values: number[]) => unknown;
type ImportTable = Record<string, unknown>;
type Instantiate = (source: unknown, imports: Record<string, ImportTable>) => Promise<{ instance?: WebAssemblyInstance } & Partial<WebAssemblyInstance>>;

export interface WebAssemblyInstance {
  readonly exports: Record<string, (...values: number[]) => number> & { readonly memory: { readonly buffer: ArrayBuffer } };
}

/** errno values of emscripten's libc. */
const errno = { EPERM: 63, EROFS: 69, ENOSYS: 52 } as const;

/** Anything but reading: O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND. */
const writingFlags = 0x1 | 0x2 | 0x40 | 0x200 | 0x400;

/** Read-only views of the in-memory file system, clocks, time zones, and bookkeeping of the C library. */
const allowed = new Set(
  [
    'fd_write fd_read fd_close fd_seek fd_pread fd_sync fd_fdstat_get clock_res_get environ_sizes_get environ_get',
    '__syscall_stat64 __syscall_lstat64 __syscall_newfstatat __syscall_fstat64 __syscall_getcwd __syscall_getdents64 __syscall_faccessat __syscall_fcntl64',
    '__syscall_ioctl __syscall_readlinkat __syscall_getuid32_js __syscall_statfs64 __syscall_fstatfs64 __syscall_fadvise64 _try_fcntl64 _munmap_js',
    '_tzset_js _timegm_js _mktime_js _localtime_js _gmtime_js emscripten_get_heap_max _Py_emscripten_runtime _emscripten_get_progname',
    'emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop',
  ].flatMap((line) => line.split(' ')),
);

/**
 * What these answer depends on linear memory and on files that never change, so that a cell that called no others gives the same whenever it is run: output, checks for
 * signals, growing memory, random numbers (whose state is part of a session), looking for files.
 */
const repeatable = new Set(
  [
    'fd_write _Py_CheckEmscriptenSignals_Helper emscripten_resize_heap emscripten_get_heap_max random_get',
    '__syscall_stat64 __syscall_lstat64 __syscall_newfstatat emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop',
  ].flatMap((line) => line.split(' ')),
);

/** Called a thousand times a cell, and only from wasm to wasm. */
function isInternal(name: string): boolean {
  return name.startsWith('invoke_') || name === '_PyEM_TrampolineCall_JS';
}

export class Boundary {
  #sealed = false;
  #growTo: ((byteLength: number) => unknown) | undefined;
  readonly #interrupt: Int32Array;
  instance: WebAssemblyInstance | undefined;
  /** Most bytes of linear memory that the running cell may have. */
  memoryLimit = Number.POSITIVE_INFINITY;
  memoryRefused = false;
  /** Whether the running cell has called repeatable imports only. */
  isRepeatable = true;
  /** State of the generator behind os.urandom: part of a session, so that nothing drawn depends on the neighbours. */
  entropy = 1;

  /** `interrupt[0]` is set by the other thread when the running cell must stop. */
  constructor(interrupt: Int32Array) {
    this.#interrupt = interrupt;
  }

  /** Makes the next instantiation go through this boundary. */
  install(): void {
    const webAssembly = (globalThis as unknown as { WebAssembly: { instantiate: Instantiate } }).WebAssembly;
    const instantiate = webAssembly.instantiate;
    webAssembly.instantiate = async (source, imports) => {
      const isMain = imports !== undefined && 'env' in imports;
      const result = await instantiate.call(webAssembly, source, isMain ? this.#guarded(imports) : imports);
      if (isMain) this.instance ??= (result.instance ?? result) as WebAssemblyInstance;
      return result;
    };
  }

  /** From here on only allowed imports work. There is no way back. */
  seal(growTo: (byteLength: number) => unknown): void {
    this.#growTo = growTo;
    this.#sealed = true;
  }

  #guarded(imports: Record<string, ImportTable>): Record<string, ImportTable> {
    const tables = Object.entries(imports).map(([module, table]) => [module, module.startsWith('GOT') ? table : this.#guardedTable(table)]);
    return Object.fromEntries(tables) as Record<string, ImportTable>;
  }

  #guardedTable(table: ImportTable): ImportTable {
    const entries = Object.entries(table).map(([name, entry]) => [
      name,
      typeof entry === 'function' && !isInternal(name) ? this.#guard(name, entry as ImportFunction) : entry,
    ]);
    return Object.fromEntries(entries) as ImportTable;
  }

  #guard(name: string, open: ImportFunction): ImportFunction {
    const sealed = this.#sealedImport(name, open);
    const isRepeatable = repeatable.has(name);
    return (...values) => {
      if (!this.#sealed) return open(...values);
      if (!isRepeatable) this.isRepeatable = false;
      return sealed(...values);
    };
  }

  #sealedImport(name: string, open: ImportFunction): ImportFunction {
    if (allowed.has(name)) return open;
    const special = this.#special(name, open);
    if (special !== undefined) return special;
    if (
      /^(__syscall_(openat|mkdirat|mknodat|unlinkat|rmdir|renameat|symlinkat|chmod|f?truncate64|fchmod|fchmodat2|fchown32|fchownat|fallocate|utimensat)|fd_pwrite)$/.test(
        name,
      )
    )
      return () => -errno.EROFS;
    if (name.startsWith('__syscall_') || name.startsWith('_maybe_') || name.startsWith('_try_')) return () => -errno.EPERM;
    return () => {
      throw new CellEnded('violation', `the sandbox has no ${name}`);
    };
  }

  #special(name: string, open: ImportFunction): ImportFunction | undefined {
    switch (name) {
      case '__syscall_openat':
        return (directory = 0, path = 0, flags = 0, rest = 0) => ((flags & writingFlags) === 0 ? open(directory, path, flags, rest) : -errno.EROFS);
      case '_Py_CheckEmscriptenSignals_Helper':
        return () => this.#stopIfAsked() ?? 0;
      case 'clock_time_get':
      case 'emscripten_get_now':
      case 'emscripten_date_now':
        // time.sleep is a loop around the clock: the only place where it can be stopped.
        return (...values) => this.#stopIfAsked() ?? open(...values);
      case 'emscripten_resize_heap':
        return (byteLength = 0) => this.#resize(byteLength >>> 0);
      case 'random_get':
        return (address = 0, length = 0) => this.#drawEntropy(address >>> 0, length >>> 0);
      case 'exit':
      case 'proc_exit':
        return (code = 0) => {
          throw new CellEnded('exited', `the cell ended the interpreter with code ${code}`);
        };
      case '_abort_js':
      case '__assert_fail':
      case 'fail_test':
        return () => {
          throw new CellEnded('crashed', 'the interpreter aborted');
        };
      case '_dlopen_js':
      case '_emscripten_lookup_name':
      case '_emscripten_system':
        return () => 0;
      case '_setitimer_js':
      case '_mmap_js':
      case '_msync_js':
        return () => -errno.ENOSYS;
      case 'getaddrinfo':
        return () => -4;
      default:
        return undefined;
    }
  }

  /** Not an exception of Python: nothing inside can catch it. */
  #stopIfAsked(): undefined {
    if (Atomics.load(this.#interrupt, 0) !== 0) throw new CellEnded('interrupted', 'the cell was stopped');
    return undefined;
  }

  /** Grows to the byte, without the slack that emscripten adds, so that a session's limit does not depend on who grew memory before. */
  #resize(byteLength: number): number {
    if (byteLength <= this.memoryLimit) return this.#growTo?.(Math.ceil(byteLength / 65536) * 65536) === 1 ? 1 : 0;
    this.memoryRefused = true;
    return 0;
  }

  #drawEntropy(address: number, length: number): number {
    const bytes = new Uint8Array((this.instance as WebAssemblyInstance).exports.memory.buffer, address, length);
    for (let index = 0; index < length; index += 1) {
      this.entropy = (Math.imul(this.entropy, 1664525) + 1013904223) >>> 0;
      bytes[index] = this.entropy >>> 24;
    }
    return 0;
  }
}
