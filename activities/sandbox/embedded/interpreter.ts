/** @file CPython in WebAssembly behind a sealed boundary, running the cells of many sessions one at a time. Lives in the worker thread of an interpreter process. */
import { constants, readFileSync } from 'node:fs';
import { Boundary, CellEnded, type WebAssemblyInstance } from './boundary.ts';
import { fillHoles } from './heap.ts';
import { ImageStore } from './images.ts';
import { baselineImage, type Image, LinearMemory } from './memory.ts';
import { CappedOutput } from './output.ts';
import type { CellAnswer } from './protocol.ts';

export interface Cell {
  readonly code: string;
  readonly stdin: string;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

/** What driver.py reports of a cell. */
interface Report {
  readonly exitCode: number;
  readonly value?: string;
  readonly errorType?: string;
  readonly traceback?: string;
  readonly cut?: boolean;
}

/** What a cell made of an image. */
interface Step {
  readonly image: Image;
  readonly answer: CellAnswer;
}

const sessionByteBudget = 768 * 1024 * 1024;
const stepByteBudget = 128 * 1024 * 1024;

export class Interpreter {
  readonly #boundary: Boundary;
  readonly #memory: LinearMemory;
  readonly #runCell: number;
  readonly #setOutput: (stdout: CappedOutput, stderr: CappedOutput) => void;
  /** Sessions that are not in memory. */
  readonly #sessions = new ImageStore<{ readonly image: Image }>(sessionByteBudget);
  /**
   * Steps by image and cell. A cell is a function of the image it is run in, unless it looked at the clock or a file: siblings of a group, which begin with one setup and
   * often write the same cell, and replays, take the step that one of them has made.
   */
  readonly #steps = new ImageStore<Step>(stepByteBudget);
  /** The session that is in memory, if any. */
  #current: string | undefined;
  /** The image that memory is equal to; undefined once a cell has changed it. */
  #loaded: Image | undefined = baselineImage;
  /** What led from an image to memory as it is now, where that is a single step that can be taken again. */
  #step: { readonly key: string; readonly answer: CellAnswer } | undefined;

  constructor(boundary: Boundary, runCell: number, setOutput: (stdout: CappedOutput, stderr: CappedOutput) => void) {
    this.#boundary = boundary;
    this.#runCell = runCell;
    this.#setOutput = setOutput;
    this.#memory = new LinearMemory(boundary.instance as WebAssemblyInstance);
  }

  /** Starts a session and runs its setup in it. */
  open(sandbox: string, setup: string, limits: Pick<Cell, 'memoryBytes' | 'outputBytes'>): CellAnswer {
    this.close(sandbox);
    this.#sessions.keep(sandbox, { image: baselineImage });
    const answer = this.cell(sandbox, { code: setup, stdin: '', ...limits }) as CellAnswer;
    if (answer.ending === 'returned' && answer.exitCode === 0) {
      this.#settle();
      return answer;
    }
    this.close(sandbox);
    return { ...answer, held: false };
  }

  /** undefined when the session is not here. */
  cell(sandbox: string, cell: Cell): CellAnswer | undefined {
    if (this.#current !== sandbox) this.#settle();
    const image = this.#current === sandbox ? this.#loaded : this.#sessions.get(sandbox)?.image;
    if (image === undefined) return this.#current === sandbox ? this.#run(cell) : undefined;
    const known = this.#steps.get(keyOf(image, cell));
    if (known !== undefined) {
      if (this.#current === sandbox) this.#current = undefined;
      this.#sessions.keep(sandbox, known);
      return known.answer;
    }
    this.#turnTo(sandbox, image);
    return this.#run(cell);
  }

  close(sandbox: string): void {
    this.#sessions.forget(sandbox);
    if (this.#current === sandbox) this.#current = undefined;
  }

  #run(cell: Cell): CellAnswer {
    const before = this.#loaded;
    this.#loaded = undefined;
    this.#step = undefined;
    const stdout = new CappedOutput(cell.outputBytes);
    const stderr = new CappedOutput(cell.outputBytes);
    this.#setOutput(stdout, stderr);
    this.#boundary.memoryLimit = cell.memoryBytes;
    this.#boundary.memoryRefused = false;
    this.#boundary.isRepeatable = true;
    try {
      const report = this.#call(JSON.stringify({ code: cell.code, stdin: cell.stdin, limit: cell.outputBytes }), cell.outputBytes);
      if (this.#boundary.memoryRefused && report.errorType === 'MemoryError') throw new CellEnded('outOfMemory', 'the memory limit was reached');
      if (report.traceback !== undefined) stderr.write(Buffer.from(report.traceback, 'utf8'));
      const answer = answerOf(report, stdout, stderr);
      if (before !== undefined && this.#boundary.isRepeatable) this.#step = { key: keyOf(before, cell), answer };
      return answer;
    } catch (error) {
      return this.#rollBack(before, error, stdout, stderr);
    }
  }

  /** The call was unwound in the middle: whatever memory holds now is garbage, and the image from before the cell replaces it. */
  #rollBack(before: Image | undefined, error: unknown, stdout: CappedOutput, stderr: CappedOutput): CellAnswer {
    this.#memory.load(before ?? baselineImage, this.#memory.changedPages());
    this.#loaded = before ?? baselineImage;
    this.#boundary.entropy = this.#loaded.entropy;
    if (before === undefined) this.#current = undefined;
    const ended =
      error instanceof CellEnded ? error : new CellEnded('crashed', error instanceof Error ? `${error.name}: ${error.message}` : 'the interpreter crashed');
    // How far a stopped cell came depends on the machine, so its output is not shown: the same rollout must read the same everywhere.
    const shown =
      ended.ending === 'interrupted' ? { stdout: '', truncated: false } : { stdout: stdout.text(), truncated: stdout.truncated || stderr.truncated };
    return {
      ending: ended.ending,
      exitCode: null,
      ...shown,
      stderr: ended.ending === 'interrupted' ? '' : `${ended.message}\n`,
      ...errorTypeOf(ended),
      held: before !== undefined,
    };
  }

  /** @throws whatever unwound the interpreter. */
  #call(request: string, outputBytes: number): Report {
    const { exports } = this.#boundary.instance as WebAssemblyInstance;
    const call = (name: string, ...values: number[]) => (exports[name] as (...values: number[]) => number)(...values) >>> 0;
    const bytes = Buffer.from(request, 'utf8');
    const argument = call('PyBytes_FromStringAndSize', 0, bytes.byteLength);
    if (argument === 0) throw new CellEnded('outOfMemory', 'the memory limit was reached');
    bytes.copy(Buffer.from(exports.memory.buffer), call('PyBytes_AsString', argument));
    const answer = call('PyObject_CallOneArg', this.#runCell, argument);
    call('Py_DecRef', argument);
    if (answer === 0) {
      call('PyErr_Clear');
      throw new CellEnded(this.#boundary.memoryRefused ? 'outOfMemory' : 'crashed', 'the cell broke the report of its own result');
    }
    const length = call('PyBytes_Size', answer);
    // JSON writes a character as up to six; a cell that forges a longer report only loses its own session.
    if (length > 14 * outputBytes + 65536) throw new CellEnded('crashed', 'the cell broke the report of its own result');
    const address = call('PyBytes_AsString', answer);
    const text = Buffer.from(exports.memory.buffer, address, length).toString('utf8');
    call('Py_DecRef', answer);
    return parseReport(text);
  }

  /** Puts the session that is in memory, if there is one, among the others. Memory stays as it is. */
  #settle(): void {
    if (this.#current === undefined) return;
    if (this.#loaded === undefined) {
      this.#loaded = this.#memory.image(this.#boundary.entropy);
      if (this.#step !== undefined) this.#steps.keep(this.#step.key, { image: this.#loaded, answer: this.#step.answer });
    }
    this.#sessions.keep(this.#current, { image: this.#loaded });
    this.#current = undefined;
  }

  /** Makes a session whose image is known the one in memory. */
  #turnTo(sandbox: string, image: Image): void {
    if (this.#loaded !== image) this.#memory.load(image, this.#loaded?.offsets ?? this.#memory.changedPages());
    this.#boundary.entropy = image.entropy;
    this.#sessions.forget(sandbox);
    this.#current = sandbox;
    this.#loaded = image;
  }
}

function keyOf(image: Image, { code, stdin, memoryBytes, outputBytes }: Cell): string {
  return [image.id, memoryBytes, outputBytes, code.length, code, stdin].join(' ');
}

function answerOf(report: Report, stdout: CappedOutput, stderr: CappedOutput): CellAnswer {
  return {
    ending: 'returned',
    exitCode: report.exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    ...(report.value === undefined ? {} : { value: report.value }),
    ...(report.errorType === undefined ? {} : { errorType: report.errorType }),
    truncated: stdout.truncated || stderr.truncated || report.cut === true,
    held: true,
  };
}

function errorTypeOf(ended: CellEnded): { errorType?: string } {
  switch (ended.ending) {
    case 'interrupted':
      return { errorType: 'TimeoutError' };
    case 'outOfMemory':
      return { errorType: 'MemoryError' };
    case 'exited':
      return { errorType: 'SystemExit' };
    case 'violation':
      return { errorType: 'PermissionError' };
    case 'crashed':
      return { errorType: /call stack/.test(ended.message) ? 'RecursionError' : 'SystemError' };
  }
}

/** The report comes out of memory that the cell can write to: only its own verdict on itself, but it must have the right shape. */
function parseReport(text: string): Report {
  const report = JSON.parse(text) as Partial<Record<string, unknown>> | null;
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  if (
    typeof report !== 'object' ||
    report === null ||
    !Number.isInteger(report['exitCode']) ||
    !isText(report['value']) ||
    !isText(report['errorType']) ||
    !isText(report['traceback'])
  ) {
    throw new CellEnded('crashed', 'the cell broke the report of its own result');
  }
  return report as unknown as Report;
}

/** Loads CPython, runs driver.py, seals the boundary. */
export async function loadInterpreter(interrupt: Int32Array): Promise<Interpreter> {
  // emscripten asks for the host's open flags through an interface that Node's permission model closes.
  (process as unknown as { binding: () => unknown }).binding = () => ({ fs: constants });
  const boundary = new Boundary(interrupt);
  boundary.install();
  const { loadPyodide } = await import('pyodide');
  const pyodide = await loadPyodide({
    jsglobals: Object.freeze(Object.create(null)) as object,
    env: { PYTHONHASHSEED: '0', HOME: '/' },
    stdin: () => null as unknown as string,
  });
  const outputs = { stdout: new CappedOutput(0), stderr: new CappedOutput(4096) };
  const writer = (name: 'stdout' | 'stderr') => ({
    write: (bytes: Uint8Array) => {
      outputs[name].write(bytes);
      return bytes.length;
    },
  });
  pyodide.setStdout(writer('stdout'));
  pyodide.setStderr(writer('stderr'));
  const runCell = loadDriver(boundary.instance as WebAssemblyInstance, outputs.stderr);
  fillHoles(boundary.instance as WebAssemblyInstance);
  pyodide.setInterruptBuffer(interrupt);
  const module = (pyodide as unknown as { _module: { growMemory: (byteLength: number) => unknown } })._module;
  boundary.seal((byteLength) => module.growMemory(byteLength));
  return new Interpreter(boundary, runCell, (stdout, stderr) => Object.assign(outputs, { stdout, stderr }));
}

/**
 * Runs driver.py through the C API, without a frame of Pyodide on the stack, and gives back the PyObject of its run_cell.
 * From then on Python and host meet in linear memory only.
 */
function loadDriver(instance: WebAssemblyInstance, stderr: CappedOutput): number {
  const { exports } = instance;
  const call = (name: string, ...values: number[]) => (exports[name] as (...values: number[]) => number)(...values) >>> 0;
  const withString = <Result>(text: string, use: (address: number) => Result): Result => {
    const bytes = Buffer.from(`${text}\0`, 'utf8');
    const address = call('malloc', bytes.byteLength);
    bytes.copy(Buffer.from(exports.memory.buffer), address);
    const result = use(address);
    call('free', address);
    return result;
  };
  const run = (code: string) => {
    if (withString(code, (address) => call('PyRun_SimpleString', address)) !== 0) throw new Error(`driver.py: expected it to load, got ${stderr.text()}`);
  };
  const source = readFileSync(new URL('driver.py', import.meta.url), 'utf8');
  // With builtins of its own, so that a cell that breaks the session's still gets its report.
  run(
    `import builtins\ndriver = {"__name__": "driver", "__builtins__": dict(vars(builtins))}\nexec(compile(${JSON.stringify(source)}, "driver.py", "exec"), driver)`,
  );
  const main = withString('__main__', (address) => call('PyImport_AddModule', address));
  const driver = withString('driver', (address) => call('PyObject_GetAttrString', main, address));
  const runCell = withString('run_cell', (address) => call('PyDict_GetItemString', driver, address));
  call('Py_IncRef', runCell);
  run('driver["prepare"]()');
  return runCell;
}
