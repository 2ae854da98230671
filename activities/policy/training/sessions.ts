/**
 * @file Training sessions: one per kind of graph and number of attention blocks, whatever the rows. An arena never shrinks, so the least
 * recently used session is released above a memory budget.
 */

import { modelBytes } from '../../../core/graph/onnx.ts';
import { activationBytes } from '../../../core/model/activations.ts';
import type { ModelConfig } from '../../../core/model/config.ts';
import type { FrozenBase } from '../../../core/model/lora.ts';
import { attentionBlocks } from '../../../core/model/rowLayout.ts';
import { type TrainingGraphKind, trainingGraph } from '../../../core/model/trainingGraph.ts';
import { createSession, type Session, type SessionOptions } from '../ort/session.ts';
import { cellsOf, type MicroBatch } from './microBatches.ts';

interface Entry {
  readonly session: Session;
  readonly bytes: number;
}

export class TrainingSessions {
  /** In order of use, the latest last. */
  private readonly entries = new Map<string, Entry>();
  readonly config: ModelConfig;
  /** The model below an adapter; null where the whole model is trained. */
  readonly base: FrozenBase | null;
  private readonly budgetBytes: number;
  private readonly options: SessionOptions;

  constructor(config: ModelConfig, base: FrozenBase | null, budgetBytes: number, options: SessionOptions) {
    this.config = config;
    this.base = base;
    this.budgetBytes = budgetBytes;
    // Packed copies of frozen weights would take twice their size again, and products of so many rows are as fast without.
    this.options = base === null ? options : { ...options, prepacking: false, externalDataFolder: base.folder };
  }

  async get(kind: TrainingGraphKind, batch: MicroBatch): Promise<Session> {
    const layout = { attentionBlocks: attentionBlocks(batch.shared?.prefixLength ?? batch.length), shared: batch.shared !== null };
    const key = JSON.stringify([kind, layout]);
    const found = this.entries.get(key);
    const bytes = Math.max(found?.bytes ?? 0, activationBytesOf(this.config, batch));
    this.entries.delete(key);
    await this.makeRoom(bytes);
    const session = found?.session ?? (await createSession(modelBytes(trainingGraph(this.config, kind, layout, this.base)), this.options));
    this.entries.set(key, { session, bytes });
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

/** Siblings behind a prefix attend to it as well as to themselves. */
function activationBytesOf(config: ModelConfig, batch: MicroBatch): number {
  return activationBytes(config, cellsOf(batch), batch.length + (batch.shared?.prefixLength ?? 0));
}
