/** @file The compute of training, on whatever thread calls it: a model's state, its sessions, and the two kinds of step. */
import { microBatchLimit } from '../../../core/model/activations.ts';
import type { AdamMoments, ModelConfig, OptimizerStep, Tensor, Weights } from '../../../core/model/config.ts';
import { type FrozenBase, trainedShapes } from '../../../core/model/lora.ts';
import { checkTensors } from '../../../core/model/tensorNames.ts';
import type { TrainingGraphKind } from '../../../core/model/trainingGraph.ts';
import type { BatchRow } from '../../../core/run/batch.ts';
import { largestMicroBatchTokens } from '../../../core/run/config.ts';
import type { Feed, SessionOptions } from '../ort/session.ts';
import { perTokenFeed, perTokenRows, positionsOf, type TrainedRow, tokenFeeds } from './feeds.ts';
import { GradientSum, type ModelState } from './gradientSum.ts';
import { LayerSessions } from './layerByLayer.ts';
import { type MicroBatch, planMicroBatches, planShared } from './microBatches.ts';
import { type PolicyStepSettings, policyStep } from './policyStep.ts';
import { SessionCache } from './sessionCache.ts';
import type { CheckPoint, PassOutputs, TrainingSessions } from './sessions.ts';
import { sharedPrefixes } from './sharedPrefixes.ts';
import type { PolicyMetrics, SupervisedMetrics, SupervisedRow } from './types.ts';
import { WholeGraphSessions } from './wholeGraph.ts';

export interface TrainerOptions extends SessionOptions {
  /** Estimated activation memory of all cached sessions together. */
  readonly sessionBytes?: number;
  /** Keep only the inputs of layers, and compute the rest again on the way back: less memory, more time. Default false. */
  readonly recomputeActivations?: boolean;
  /** Of those that recompute: trained tokens that the head sees at once. Default by the size of the vocabulary. */
  readonly headTokens?: number;
}

/** The session in use is always kept. */
const defaultSessionBytes = 512 * 2 ** 20;
/**
 * Without memory patterns a step of S is as fast (1.76 against 1.80 s of processor time) in 720 instead of 1,210 MB. Without spinning a step
 * of nano beside other work takes half the processor time (69 against 127 ms on two busy cores).
 */
const sessionDefaults: SessionOptions = { memoryPattern: false, spinning: false };

/** They depend on the architecture alone: another checkpoint of the same model goes on with the same ones. */
export function trainingSessions(config: ModelConfig, options: TrainerOptions, base: FrozenBase | null = null): TrainingSessions {
  const { sessionBytes = defaultSessionBytes, recomputeActivations = false, headTokens, ...rest } = options;
  // Packed copies of frozen weights would take twice their size again, and products of so many rows are as fast without.
  const frozen = base === null ? {} : { prepacking: false, externalDataFolder: base.folder };
  // With an arena each, sessions that run in turn would hold the memory of all of them together.
  const cache = new SessionCache(sessionBytes, { ...sessionDefaults, ...rest, ...frozen, arena: !recomputeActivations });
  return recomputeActivations ? new LayerSessions(config, base, cache, headTokens) : new WholeGraphSessions(config, base, cache);
}

export class Trainer {
  readonly state: ModelState;
  readonly reference: Weights | null;
  private readonly config: ModelConfig;
  private readonly sessions: TrainingSessions;

  /**
   * Works on the given weights and moments in place; with sessions that have a base, all of them are an adapter's. `reference` is the frozen
   * policy that KL is measured to.
   */
  constructor(
    config: ModelConfig,
    weights: Weights,
    moments: AdamMoments | null,
    reference: Weights | null,
    options: TrainerOptions = {},
    sessions?: TrainingSessions,
  ) {
    this.sessions = sessions ?? trainingSessions(config, options);
    const shapes = trainedShapes(config, this.sessions.base);
    for (const part of [weights, reference, moments?.first, moments?.second]) if (part) checkTensors(shapes, part);
    this.state = {
      weights: new Map(weights),
      first: moments ? new Map(moments.first) : zerosOf(weights),
      second: moments ? new Map(moments.second) : zerosOf(weights),
      step: moments?.step ?? 0,
    };
    this.config = config;
    this.reference = reference;
  }

  /** Weighted cross-entropy: Σ weight · loss ÷ Σ weight. */
  async supervisedStep(rows: readonly SupervisedRow[], optimizer: OptimizerStep, check: CheckPoint): Promise<SupervisedMetrics> {
    const total = rows.reduce((sum, row) => sum + row.lossWeights.subarray(1).reduce((part, weight) => part + weight, 0), 0);
    if (!(total > 0)) throw new Error(`supervisedStep: expected a positive sum of loss weights over ${rows.length} rows, got ${total}`);
    const weights = rows.map((row) => row.lossWeights.map((weight) => weight / total));
    const trained = rows.map(({ tokens, lossWeights }) => ({ tokens, trained: lossWeights }));
    const gradient = new GradientSum();
    let loss = 0;
    for (const batch of this.plan(trained, largestMicroBatchTokens)) {
      check();
      const outputs = await this.run({ kind: 'supervised' }, trained, batch, { weights }, gradient, check);
      loss += (outputs['loss'] as Float32Array)[0] as number;
    }
    check();
    const gradNorm = gradient.apply(this.state, optimizer);
    const tokens = rows.reduce((sum, row) => sum + row.lossWeights.subarray(1).reduce((count, weight) => count + (weight > 0 ? 1 : 0), 0), 0);
    return { loss, gradNorm, tokens };
  }

  policyStep(rows: readonly BatchRow[], settings: PolicyStepSettings, check: CheckPoint): Promise<PolicyMetrics> {
    return policyStep(this, rows, settings, check);
  }

  plan(rows: readonly TrainedRow[], maxTokens: number): MicroBatch[] {
    const { maxPositions } = this.config;
    const longest = rows.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
    if (longest > maxPositions) throw new Error(`training: expected rows of at most the model's ${maxPositions} positions, got one of ${longest} tokens`);
    const lengths = rows.map((row) => positionsOf(row.tokens));
    const most = Math.min(maxTokens, microBatchLimit(this.config, longest, this.sessions.recomputesActivations));
    const { groups, alone } = sharedPrefixes(rows);
    return [...planShared(lengths, groups, most), ...planMicroBatches(lengths, most, alone)];
  }

  /** One micro-batch; `perToken` is aligned with the tokens of each row. Gradients go to `gradient`. */
  run(
    kind: TrainingGraphKind,
    rows: readonly TrainedRow[],
    batch: MicroBatch,
    perToken: Readonly<Record<string, readonly Float32Array[]>>,
    gradient: GradientSum,
    check: CheckPoint = () => {},
    weights: Weights = this.state.weights,
  ): Promise<PassOutputs> {
    const feeds: Record<string, Feed> = tokenFeeds(this.config, rows, batch);
    for (const [name, values] of Object.entries(perToken)) feeds[name] = perTokenFeed(rows, values, batch);
    return this.sessions.run({ kind, batch, feeds, weights, gradient, check });
  }

  /** Log-probabilities of every row's trained tokens, without a gradient. */
  async logprobs(rows: readonly TrainedRow[], weights: Weights, temperature: number, maxTokens: number, check: CheckPoint): Promise<Float32Array[]> {
    const found = new Map<number, Float32Array>();
    for (const batch of this.plan(rows, maxTokens)) {
      check();
      const outputs = await this.run({ kind: 'forward', temperature }, rows, batch, {}, new GradientSum(), check, weights);
      for (const [row, values] of perTokenRows(rows, batch, outputs['logprobs'] as Float32Array)) found.set(row, values);
    }
    return rows.map((_, row) => found.get(row) as Float32Array);
  }

  release(): Promise<void> {
    return this.sessions.release();
  }
}

function zerosOf(weights: Weights): Map<string, Tensor> {
  return new Map(Array.from(weights, ([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }]));
}
