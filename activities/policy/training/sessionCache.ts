/** @file ONNX sessions by what they compute. The arena of a session never shrinks, so the least recently used is released above a memory budget. */
import type { Graph } from '../../../core/graph/graph.ts';
import { modelBytes } from '../../../core/graph/onnx.ts';
import { createSession, type Session, type SessionOptions } from '../ort/session.ts';

interface Entry {
  readonly session: Session;
  readonly bytes: number;
}

export class SessionCache {
  /** In order of use, the latest last. */
  private readonly entries = new Map<string, Entry>();
  private readonly budgetBytes: number;
  private readonly options: SessionOptions;

  constructor(budgetBytes: number, options: SessionOptions) {
    this.budgetBytes = budgetBytes;
    this.options = options;
  }

  /** `bytes` is what it will hold when it has run, by estimate; the session in use is always kept. */
  async get(key: string, bytes: number, graph: () => Graph): Promise<Session> {
    const found = this.entries.get(key);
    const most = Math.max(found?.bytes ?? 0, bytes);
    this.entries.delete(key);
    await this.makeRoom(most);
    const session = found?.session ?? (await createSession(modelBytes(graph()), this.options));
    this.entries.set(key, { session, bytes: most });
    return session;
  }

  async release(): Promise<void> {
    for (const { session } of this.entries.values()) await session.release();
    this.entries.clear();
  }

  private async makeRoom(bytes: number): Promise<void> {
    let held = [...this.entries.values()].reduce((sum, entry) => sum + entry.bytes, 0);
    for (const [key, entry] of this.entries) {
      if (held + bytes <= this.budgetBytes) return;
      this.entries.delete(key);
      await entry.session.release();
      held -= entry.bytes;
    }
  }
}
