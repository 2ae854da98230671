/** @file Training sessions by kind and shape. An arena never shrinks, so the least recently used session is released above a memory budget. */

import { modelBytes } from '../../../core/graph/onnx.ts';
import type { ModelConfig } from '../../../core/model/config.ts';
import { type TrainingGraphKind, trainingGraph } from '../../../core/model/trainingGraph.ts';
import type { RowsShape } from '../../../core/model/transformer.ts';
import { createSession, type Session, type SessionOptions } from '../ort/session.ts';

interface Entry {
  readonly session: Session;
  readonly bytes: number;
}

export class TrainingSessions {
  /** In order of use, the latest last. */
  private readonly entries = new Map<string, Entry>();
  readonly config: ModelConfig;
  private readonly budgetBytes: number;
  private readonly options: SessionOptions;

  constructor(config: ModelConfig, budgetBytes: number, options: SessionOptions) {
    this.config = config;
    this.budgetBytes = budgetBytes;
    this.options = options;
  }

  async get(kind: TrainingGraphKind, shape: RowsShape): Promise<Session> {
    const key = JSON.stringify([kind, shape.rows, shape.length]);
    const found = this.entries.get(key);
    if (found) {
      this.entries.delete(key);
      this.entries.set(key, found);
      return found.session;
    }
    const bytes = activationBytes(this.config, shape);
    await this.makeRoom(bytes);
    const session = await createSession(modelBytes(trainingGraph(this.config, kind, shape)), this.options);
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

/** Measured: resident memory of a session ÷ the tensors that one pass needs, on nano, S and M (arenas grow by doubling). */
const arenaFactor = 2.2;

/** Estimate of what a session's arena holds: per token and layer the projections, the attention and the feed-forward, forward and backward. */
export function activationBytes(config: ModelConfig, { rows, length }: RowsShape): number {
  const { hiddenSize, intermediateSize, headCount, headDim, layerCount, vocabSize } = config;
  const perLayer = 8 * hiddenSize + 4 * headCount * headDim + 4 * intermediateSize + headCount * length;
  return arenaFactor * 4 * rows * length * (layerCount * perLayer + 4 * vocabSize);
}
