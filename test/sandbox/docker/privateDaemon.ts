/** @file A Docker daemon of a test's own, which it may stop and kill. Needs root and dockerd; nothing of the machine's own daemon is touched. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, engineOf, engineVersion } from '../../../activities/sandbox/docker/engine.ts';

/** Undefined where a daemon can be started. */
export const noPrivateDaemon =
  process.getuid?.() === 0 && spawnSync('dockerd', ['--version']).status === 0 ? undefined : 'a docker daemon of its own needs root and dockerd';

export class PrivateDaemon {
  readonly #directory = mkdtempSync(join(tmpdir(), 'dockerd-'));
  readonly engine: Engine = engineOf({ DOCKER_HOST: `unix://${join(this.#directory, 'docker.sock')}` });
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const giveUpAt = performance.now() + 90_000;
    this.#spawn();
    while (!(await this.#isUp())) {
      if (performance.now() > giveUpAt) throw new Error('dockerd did not come up within 90 s');
      // After a kill it may find its containerd half dead and end: whoever keeps services alive starts it again.
      if (this.#process?.exitCode !== null) this.#spawn();
      await sleep(200);
    }
  }

  #spawn(): void {
    const path = (name: string) => join(this.#directory, name);
    const flags = ['--host', `unix://${path('docker.sock')}`, '--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('pid')];
    // The default bridge stays as the machine's own daemon has it: boxes have no network anyway.
    this.#process = spawn('dockerd', [...flags, '--iptables=false', '--ip-masq=false'], { stdio: 'ignore' });
  }

  #isUp(): Promise<boolean> {
    return engineVersion(this.engine, 2000).then(
      () => true,
      () => false,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.#process;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    for (const pid of this.#leftOver()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    }
    for (const mount of this.#mounts()) spawnSync('umount', ['-l', mount]);
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10 });
  }

  /** A daemon that was killed leaves its containerd and the shims of containers; each names the directory on its command line. */
  #leftOver(): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => pid !== process.pid && commandLineOf(pid).includes(`${this.#directory}/`));
  }

  #mounts(): string[] {
    const targets = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    return targets.filter((target) => target.startsWith(`${this.#directory}/`)).toReversed();
  }
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
