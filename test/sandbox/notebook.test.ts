/** @file Cells run the way a notebook's do. */
import { describe, expect, test } from 'vitest';
import { limits, never, onEachBackend, openSandbox, runCells } from './openSandbox.ts';

onEachBackend((backend) => {
  describe('a cell', () => {
    test('gives the repr of its last expression', async () => {
      const result = await runCells(backend(), ["x = [1, 'a']\nx"]);
      expect(result).toMatchObject({ exitCode: 0, value: "[1, 'a']", stdout: '', stderr: '', timedOut: false, outOfMemory: false, truncated: false });
      expect(result).not.toHaveProperty('errorType');
    });

    test('has no value when it ends with a statement, or with None', async () => {
      expect(await runCells(backend(), ['x = 1'])).not.toHaveProperty('value');
      expect(await runCells(backend(), ['None'])).not.toHaveProperty('value');
      expect(await runCells(backend(), [''])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    });

    test('keeps stdout and stderr apart, unflushed output and file descriptors included', async () => {
      const result = await runCells(backend(), ["import os, sys\nprint('a', end='')\nprint('b', file=sys.stderr)\nsys.stdout.flush()\nos.write(1, b'c')"]);
      expect(result).toMatchObject({ stdout: 'ac', stderr: 'b\n', value: '1' });
    });

    test('may put streams of its own in the place of the standard ones: what they hold is written at its end, theirs first', async () => {
      const tee =
        "import dataclasses, sys\n@dataclasses.dataclass\nclass Tee:\n    to: object\n    held: str = ''\n    def write(self, text): self.held += text\n    def flush(self):\n        self.to.write(self.held)\n        self.held = ''\n";
      const code = `${tee}sys.stdout, sys.stderr = Tee(sys.stdout), Tee(sys.stderr)\nprint('out')\nprint('err', file=sys.stderr)`;
      const expected = { exitCode: 0, stdout: 'out\n', stderr: 'err\n' };
      expect(await backend().run({ owner: 'test', code, stdin: '', limits, signal: never })).toMatchObject(expected);
      const sandbox = await openSandbox(backend(), 'kept = 6');
      expect(await sandbox.execute(code, never)).toMatchObject(expected);
      expect(await sandbox.execute("print('again')\nkept * 7", never)).toMatchObject({ exitCode: 0, value: '42', stdout: 'again\n' });
      await sandbox.close();
    });

    test('that raises shows the frames of the cell and no others', async () => {
      const result = await runCells(backend(), ["def f(key):\n    return {}[key]\nf('z')"]);
      expect(result).toMatchObject({ exitCode: 1, errorType: 'KeyError' });
      expect(result.stderr).toMatch(/^Traceback \(most recent call last\):\n {2}File "<cell 1>", line 3, in <module>\n {4}f\('z'\)/);
      expect(result.stderr).toMatch(/line 2, in f\n[\s\S]*KeyError: 'z'\n$/);
      expect(result.stderr).not.toContain('driver.py');
    });

    test('that does not parse shows where', async () => {
      const result = await runCells(backend(), ['1 +']);
      expect(result).toMatchObject({ exitCode: 1, errorType: 'SyntaxError' });
      expect(result.stderr).toContain('File "<cell 1>", line 1\n    1 +');
    });

    test('ends with the code of sys.exit and the session goes on', async () => {
      const sandbox = await openSandbox(backend());
      expect(await sandbox.execute('x = 5\nimport sys\nsys.exit(3)', never)).toMatchObject({ exitCode: 3, errorType: 'SystemExit', stderr: '' });
      expect(await sandbox.execute('exit()', never)).toMatchObject({ exitCode: 0, errorType: 'SystemExit' });
      expect(await sandbox.execute('x', never)).toMatchObject({ value: '5' });
      await sandbox.close();
    });

    test('reads its stdin to the end', async () => {
      const sandbox = await openSandbox(backend());
      expect(await sandbox.execute('import sys\na = input()\nb = sys.stdin.read()\n(a, b)', never, 'één\n2\n3')).toMatchObject({
        value: "('één', '2\\n3')",
      });
      expect(await sandbox.execute('input()', never)).toMatchObject({ errorType: 'EOFError' });
      await sandbox.close();
    });

    test('has the standard library', async () => {
      const code = 'import math, re, fractions, json, statistics, decimal, datetime, sqlite3, csv, heapq\nfractions.Fraction(1, 3) + fractions.Fraction(1, 6)';
      expect(await runCells(backend(), [code])).toMatchObject({ value: 'Fraction(1, 2)' });
    });

    test('defines dataclasses, closures and imports for the cells after it', async () => {
      const cells = [
        'import math as m\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int',
        'def g(p):\n    return m.floor(p.x / 2)',
        'g(P(9))',
      ];
      expect(await runCells(backend(), cells)).toMatchObject({ value: '4' });
    });
  });

  describe('setup', () => {
    test('is silent, and its names are there', async () => {
      const sandbox = await openSandbox(backend(), "secret = 41\nprint('not shown')\ndef probe(n):\n    return 'hit' if n == secret else 'miss'");
      expect(await sandbox.execute('probe(41)', never)).toMatchObject({ stdout: '', value: "'hit'" });
      await sandbox.close();
    });

    test('that raises is a broken sandbox that says why', async () => {
      await expect(openSandbox(backend(), 'raise RuntimeError("wrong setup")')).rejects.toMatchObject({
        name: 'SandboxBroken',
        message: expect.stringContaining('RuntimeError: wrong setup'),
      });
    });
  });

  describe('output', () => {
    test('is cut at the limit in bytes and says so', async () => {
      const result = await runCells(backend(), ["print('é' * 4000)"], { outputBytes: 1001 });
      expect(result).toMatchObject({ stdout: 'é'.repeat(500), truncated: true });
      expect(await runCells(backend(), ["'x' * 5000"], { outputBytes: 100 })).toMatchObject({ value: `'${'x'.repeat(99)}`, truncated: true });
    });

    test('of 50 MB costs the worker nothing', async () => {
      const result = await runCells(backend(), ["for _ in range(50):\n    print('x' * 1_000_000)"], { outputBytes: 10 });
      expect(result).toMatchObject({ exitCode: 0, stdout: 'x'.repeat(10), truncated: true });
    });

    test('that is no UTF-8 is decoded with replacement', async () => {
      expect(await runCells(backend(), ["import os\nos.write(1, b'a\\xff\\x00b')"])).toMatchObject({ stdout: 'a\uFFFD\0b' });
    });
  });
});
