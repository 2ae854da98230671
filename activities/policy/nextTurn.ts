/**
 * @file A policy's next turn of one trajectory, sampled with the weights that are asked for. All turns of a trajectory are sampled with the same:
 * a turn that follows others, or a decoder that has loaded others, is refused.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { WeightPrecision } from '../../core/model/quantisation.ts';
import { decodeSegment, encodeSegment, isQuantised, type Segment, tokensOf } from '../../core/rollout/ledger.ts';
import type { TurnFormat } from '../../core/rollout/turnFormat.ts';
import type { GenerateInput, GenerateResult } from '../../core/rollout/types.ts';
import type { ArtifactStore } from '../artifacts/store.ts';
import type { LoadRunConfig } from '../runs/storedConfig.ts';
import type { LoadTaskSources } from '../tasks/taskSources.ts';
import { actionOf } from './action.ts';
import type { Decoder } from './decoding/decoder.ts';
import type { Generation } from './decoding/decodingRequest.ts';
import type { PolicyTokenizer } from './tokenizer/policyTokenizer.ts';
import type { LoadVerifiedPolicy, VerifiedPolicy } from './verifiedPolicies.ts';

export interface GenerateDependencies {
  readonly store: ArtifactStore;
  readonly decoder: Pick<Decoder, 'generate'>;
  readonly policies: LoadVerifiedPolicy;
  readonly sources: LoadTaskSources;
  readonly config: LoadRunConfig;
}

export async function nextTurn(
  dependencies: GenerateDependencies,
  input: GenerateInput,
  weights: WeightPrecision,
  signal: AbortSignal,
): Promise<GenerateResult> {
  const { store, decoder, policies, config } = dependencies;
  const [policy, earlier, { policy: settings }] = await Promise.all([policies(input.run, input.policy), segmentsOf(store, input, weights), config(input.run)]);
  const given = await givenTokens(dependencies, input, earlier, policy.tokenizer);
  const context = tokensOf([...earlier, { given, sampled: new Int32Array() }]);
  const maxTokens = Math.min(input.sampling.maxTokensPerTurn, roomAfter(context, input, policy));
  if (maxTokens < 1) return withoutRoom(store, context.length, weights);
  const generation = await decoder.generate(
    { ...policy.directory, weights },
    { context, seed: input.seed, rule: input.sampling, maxTokens, endTokens: [...policy.tokenizer.endOfTurnIds] },
    signal,
  );
  if (generation.weights !== weights) throw otherWeights(`a decoder with weights ${weights}`, generation.weights);
  return resultOf(store, policy.tokenizer, settings.turnFormat, { given, contextLength: context.length, generation });
}

function segmentsOf(store: ArtifactStore, input: GenerateInput, weights: WeightPrecision): Promise<Segment[]> {
  return Promise.all(
    input.segments.map(async (bytes, turn) => {
      const segment = decodeSegment(await store.fromBytes(bytes));
      const found = isQuantised(segment) ? segment.weights : 'float32';
      if (found !== weights) throw otherWeights(`turn ${turn} sampled with weights ${weights}`, found);
      return segment;
    }),
  );
}

/** The prompt on turn 0, then what the template puts between two turns. */
async function givenTokens(
  { store, sources }: GenerateDependencies,
  input: GenerateInput,
  earlier: readonly Segment[],
  tokenizer: PolicyTokenizer,
): Promise<Int32Array> {
  if (earlier.length !== input.turn) throw inputFailure(`turn ${input.turn}: expected ${input.turn} earlier segments, got ${earlier.length}`);
  if (input.turn === 0) return tokenizer.encodePrompt((await sources(input.run)).task(input.task).messages);
  if (input.observation === undefined) throw inputFailure(`turn ${input.turn}: expected the observation of turn ${input.turn - 1}, got none`);
  const lastSampled = earlier.at(-1)?.sampled.at(-1);
  const turnEnded = lastSampled !== undefined && tokenizer.endOfTurnIds.has(lastSampled);
  return tokenizer.encodeObservation(await store.fromText(input.observation), turnEnded);
}

function roomAfter(context: Int32Array, { tokenBudget }: GenerateInput, { maxPositions }: VerifiedPolicy): number {
  return Math.min(tokenBudget, maxPositions) - context.length;
}

/** A prompt or observation that leaves no room ends the trajectory. Its tokens stay out of the ledger: nothing was sampled after them. */
async function withoutRoom(store: ArtifactStore, contextTokens: number, weights: WeightPrecision): Promise<GenerateResult> {
  return {
    segment: await store.toBytes(encodeSegment(segmentOf(new Int32Array(), { tokens: new Int32Array(), logprobs: new Float32Array(), weights }))),
    sampledTokens: 0,
    contextTokens,
    finishReason: 'length',
    action: { kind: 'malformed', reason: 'the token budget left no room for a turn', text: { text: '' } },
  };
}

interface Turn {
  readonly given: Int32Array;
  readonly contextLength: number;
  readonly generation: Generation;
}

async function resultOf(
  store: ArtifactStore,
  tokenizer: PolicyTokenizer,
  format: TurnFormat,
  { given, contextLength, generation }: Turn,
): Promise<GenerateResult> {
  const { tokens: sampled, finishReason } = generation;
  return {
    segment: await store.toBytes(encodeSegment(segmentOf(given, generation))),
    sampledTokens: sampled.length,
    contextTokens: contextLength + sampled.length,
    finishReason,
    action: await actionOf(store, tokenizer.decodeTurn(sampled), format),
  };
}

/** Log-probabilities of quantised weights are not kept: nothing may be trained on them. */
function segmentOf(given: Int32Array, { tokens: sampled, logprobs, weights }: Pick<Generation, 'tokens' | 'logprobs' | 'weights'>): Segment {
  return weights === 'float32' ? { given, sampled, behaviorLogprobs: logprobs } : { given, sampled, weights };
}

function inputFailure(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`generate, ${message}`, 'BadInput');
}

export function otherWeights(expected: string, found: unknown): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`generate: expected ${expected}, got ${found}`, 'OtherWeights');
}

/** By the error's name: errors that come out of the decoding thread have lost their class. The same input meets these again. */
const remedies: Readonly<Record<string, { readonly type: string; readonly remedy: string }>> = {
  CheckpointError: { type: 'BadCheckpoint', remedy: '`npm run resume -- <run>` goes on from the newest checkpoint that is whole' },
  SafetensorsError: { type: 'BadCheckpoint', remedy: '`npm run resume -- <run>` goes on from the newest checkpoint that is whole' },
  NonFiniteLogits: { type: 'NonFiniteLogits', remedy: 'lower the learning rate and resume from an earlier checkpoint' },
};

export function throwGenerateFailure(error: unknown): never {
  const known = error instanceof Error ? remedies[error.name] : undefined;
  if (known === undefined || !(error instanceof Error)) throw error;
  throw ApplicationFailure.create({ type: known.type, message: `${error.message}. What to do: ${known.remedy}`, nonRetryable: true, cause: error });
}
