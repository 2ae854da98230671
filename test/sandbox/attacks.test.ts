/** @file What a cell may try against its box. Each test attacks one property and then asks the same session for 6 × 7. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../activities/sandbox/sandbox.ts';
import type { ExecutionLimits } from '../../core/rollout/types.ts';
import { never, openSandbox, useBackend } from './openSandbox.ts';

const backend = useBackend(2);

async function attack(code: string, changed: Partial<ExecutionLimits> = {}) {
  const sandbox = await openSandbox(backend(), 'kept = 6', changed);
  try {
    const result = await sandbox.execute(code, never);
    await expectSound(sandbox);
    return result;
  } finally {
    await sandbox.close();
  }
}

async function expectSound(sandbox: Sandbox): Promise<void> {
  expect(await sandbox.execute('kept * 7', never)).toMatchObject({ exitCode: 0, value: '42', stdout: '', stderr: '' });
}

describe('the way to JavaScript is closed', () => {
  const modules = ['js', 'pyodide_js', 'pyodide', 'pyodide.code', 'pyodide.ffi', '_pyodide_core', '_pyodide._base', 'micropip', 'ctypes', '_ctypes'];
  test.each(modules)('import %s', async (name) => {
    expect(await attack(`import ${name}`)).toMatchObject({ exitCode: 1, errorType: 'ModuleNotFoundError' });
  });

  test('import js after the guard was removed', async () => {
    expect(await attack('import sys\ndel sys.meta_path[0]\nimport js')).toMatchObject({ exitCode: 1, errorType: 'ModuleNotFoundError' });
  });

  test('run_js after the guard was removed', async () => {
    const result = await attack("import sys\ndel sys.meta_path[0]\nfrom pyodide.code import run_js\nrun_js('process.exit()')");
    expect(result.exitCode).not.toBe(0);
  });

  test('the core module made by hand is a dead end', async () => {
    const result = await attack(
      "import _imp, importlib.machinery\ncore = _imp.create_builtin(importlib.machinery.ModuleSpec('_pyodide_core', None))\n_imp.exec_builtin(core)\ncore.create_once_callable(print)",
    );
    expect(result.exitCode).not.toBe(0);
  });

  test('no object of JavaScript is alive', async () => {
    const code = "import gc\nsorted({type(o).__name__ for o in gc.get_objects() if 'Js' in type(o).__name__ or 'JsProxy' in str(type(o).__mro__)})";
    expect(await attack(code)).toMatchObject({ value: '[]' });
  });
});

describe('there is nothing outside', () => {
  test('no environment is inherited', async () => {
    expect(await attack('import os\ndict(os.environ)')).toMatchObject({ value: '{}' });
  });

  test('no file of the host is there', async () => {
    expect(readFileSync(import.meta.filename, 'utf8')).toContain('no file of the host is there');
    expect(await attack(`open(${JSON.stringify(import.meta.filename)}).read()`)).toMatchObject({ errorType: 'FileNotFoundError' });
    expect(await attack("open('/etc/passwd').read()")).toMatchObject({ errorType: 'FileNotFoundError' });
  });

  const writes = [
    "open('/tmp/x', 'w')",
    "open('/lib/x', 'a')",
    "import os\nos.mkdir('/tmp/d')",
    "import os\nos.remove('/lib/python314.zip')",
    "import os\nos.symlink('/lib', '/tmp/l')",
    "import os\nos.rename('/lib', '/tmp/lib')",
    "import os\nos.truncate('/lib/python314.zip', 0)",
    "import os\nos.chmod('/lib', 0)",
  ];
  test.each(writes)('the file system is read-only: %s', async (code) => {
    expect(await attack(code)).toMatchObject({ exitCode: 1, errorType: 'OSError', stderr: expect.stringContaining('Read-only file system') });
  });

  test('no process can be started', async () => {
    expect((await attack("import subprocess\nsubprocess.run(['ls'])")).errorType).toBe('OSError');
    expect((await attack('import os\nos.fork()')).exitCode).not.toBe(0);
    expect((await attack("import os\nos.system('ls')")).stdout).toBe('');
  });

  test('there is no network', async () => {
    expect(await attack("import socket\nsocket.socket().connect(('127.0.0.1', 80))")).toMatchObject({ exitCode: 1, errorType: 'PermissionError' });
    expect((await attack("import socket\nsocket.gethostbyname('example.org')")).exitCode).not.toBe(0);
    expect((await attack("import urllib.request\nurllib.request.urlopen('http://127.0.0.1/')")).exitCode).toBe(1);
  });

  test('no thread can be started', async () => {
    expect(await attack('import threading\nthreading.Thread(target=print).start()')).toMatchObject({ exitCode: 1, errorType: 'RuntimeError' });
  });
});

describe('a cell that does not end', () => {
  const stubborn: Record<string, string> = {
    'a loop': 'kept = 0\nwhile True: pass',
    'a loop that catches everything': 'kept = 0\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass',
    'a loop that prints': "while True: print('x' * 1000)",
    sleep: 'import time\ntime.sleep(1000)',
    'arithmetic in C': 'kept = 9 ** 9 ** 9',
    'a regular expression': "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
    'a hash that loops': 'class H:\n    def __hash__(self):\n        while True: pass\n{H(): 1}',
    'a repr that loops': 'class R:\n    def __repr__(self):\n        while True: pass\nR()',
    'an exception whose text loops': 'class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E',
  };
  test.each(Object.entries(stubborn))('%s', async (_name, code) => {
    const startedAt = performance.now();
    const sandbox = await openSandbox(backend(), 'kept = 6', { wallMs: 20_000 });
    const quick = await openSandbox(backend(), 'kept = 6', { wallMs: 700 });
    expect(await quick.execute(code, never)).toEqual({
      exitCode: null,
      stdout: '',
      stderr: '',
      errorType: 'TimeoutError',
      timedOut: true,
      outOfMemory: false,
      truncated: false,
      durationMs: expect.any(Number),
    });
    await quick.close();
    await expectSound(sandbox);
    await sandbox.close();
    expect(performance.now() - startedAt).toBeGreaterThan(700);
  });

  test('leaves the session as it was before the cell, whichever way it was stopped', async () => {
    const sandbox = await openSandbox(backend(), 'kept = 6', { wallMs: 1500 });
    await sandbox.execute('log = [1]', never);
    for (const code of ['log.append(2)\nwhile True: pass', 'log.append(3)\n9 ** 9 ** 9']) {
      expect((await sandbox.execute(code, never)).timedOut).toBe(true);
      expect(await sandbox.execute('log', never)).toMatchObject({ value: '[1]' });
    }
    await sandbox.close();
  });
});

describe('a cell that asks for too much', () => {
  test('memory in many pieces', async () => {
    const result = await attack('kept = [bytes(1_000_000) for _ in range(1000)]');
    expect(result).toMatchObject({ exitCode: null, outOfMemory: true, errorType: 'MemoryError', timedOut: false });
  });

  test('memory that it catches the error of is its own affair', async () => {
    const result = await attack("try:\n    x = 'a' * 500_000_000\nexcept MemoryError:\n    print('caught')");
    expect(result).toMatchObject({ exitCode: 0, outOfMemory: false, stdout: 'caught\n' });
  });

  test('recursion', async () => {
    const result = await attack('def f(n): return f(n + 1)\nf(0)');
    expect(result).toMatchObject({ exitCode: 1, errorType: 'RecursionError' });
    expect(result.stderr.length).toBeLessThanOrEqual(4000);
  });

  test('recursion beyond what the interpreter can count', async () => {
    const result = await attack('import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __getattr__(self, name): return getattr(self, name + "x")\nA().b');
    expect(result.exitCode).not.toBe(0);
  });

  test('printing a huge integer', async () => {
    expect(await attack('10 ** 5000')).toMatchObject({ exitCode: 1, errorType: 'ValueError' });
  });
});

describe('a cell that breaks its interpreter', () => {
  const breakers: Record<string, string> = {
    'os._exit': 'import os\nos._exit(0)',
    'os.abort': 'import os\nos.abort()',
    faulthandler: 'import faulthandler\nfaulthandler._sigsegv()',
  };
  test.each(Object.entries(breakers))('%s', async (_name, code) => {
    expect(await attack(code)).toMatchObject({ exitCode: null, timedOut: false });
  });

  test('a crafted code object', async () => {
    const result = await attack('def f(): pass\nf.__code__ = f.__code__.replace(co_code=bytes([100, 255] * 50), co_stacksize=0)\nf()');
    expect(result.exitCode).not.toBe(0);
  });

  test('replaced builtins and modules harm the session that did it, and only until its report', async () => {
    const sandbox = await openSandbox(backend());
    await sandbox.execute(
      'import builtins, json, sys\njson.dumps = None\nbuiltins.repr = lambda x: "forged"\nbuiltins.compile = None\nsys.stdout = None',
      never,
    );
    await sandbox.close();
    const other = await openSandbox(backend());
    expect(await other.execute('import json\n[json.dumps({}), repr(1)]', never)).toMatchObject({ value: "['{}', '1']" });
    await other.close();
  });

  test('a report forged through the frames above the cell', async () => {
    const forged = 'import sys\nframe = sys._getframe()\nwhile frame.f_back: frame = frame.f_back\nframe.f_locals';
    const sandbox = await openSandbox(backend());
    await sandbox.execute(forged, never);
    const other = await openSandbox(backend(), 'kept = 6');
    await expectSound(other);
    await Promise.all([sandbox.close(), other.close()]);
  });
});
