/** @file The image with numpy and sympy, made from the host's Python: every limit holds in it, and both can be used. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { chooseBackend } from '../../../activities/sandbox/choose.ts';
import { backendRequest } from '../../../workers/config/sandboxBackend.ts';
import { describeWithDocker } from '../dockerBackend.ts';
import { limits, never, openSandbox } from '../openSandbox.ts';

const isThere = spawnSync('/usr/bin/python3', ['-c', 'import numpy, sympy'], { stdio: 'ignore' }).status === 0;

describeWithDocker('docker', () => {
  describe.skipIf(!isThere)(isThere ? 'science' : 'science (skipped: no numpy and sympy in /usr/bin/python3)', () => {
    test('runs programs and cells with numpy and sympy', async () => {
      const { backend } = await chooseBackend(backendRequest('command', 0, { TURNWISE_SANDBOX: 'docker', TURNWISE_SANDBOX_IMAGE: 'science' }));
      try {
        expect(backend.image).toBe('science');
        const code = 'import numpy, sympy\nprint(numpy.arange(4).sum(), sympy.sqrt(8), numpy.ones((50, 50)).dot(numpy.ones((50, 50)))[0, 0])';
        const wide = { ...limits, memoryMiB: 2 * limits.memoryMiB };
        expect(await backend.run({ owner: 'test', code, stdin: '', limits: wide, signal: never })).toMatchObject({ exitCode: 0, stdout: '6 2*sqrt(2) 50.0\n' });
        const sandbox = await openSandbox(backend, 'import sympy', { memoryMiB: wide.memoryMiB });
        await sandbox.execute("x = sympy.Symbol('x')", never);
        expect(await sandbox.execute('sympy.integrate(2 * x, x)', never)).toMatchObject({ exitCode: 0, value: 'x**2' });
        await sandbox.close();
      } finally {
        await backend.shutdown();
      }
    });
  });
});
