/** @file Activity `generate`: the policy's next turn of one trajectory. Concurrent calls share decoding batches and do not notice one another. */
import { ApplicationFailure } from '@temporalio/common';
import { decodeSegment, encodeSegment, type TokenSegment, tokensOf } from '../core/rollout/ledger.ts';
import type { TurnFormat } from '../core/rollout/turnFormat.ts';
import type { GenerateInput, GenerateResult } from '../core/rollout/types.ts';
import type { ArtifactStore } from './artifacts/store.ts';
import { heartbeating } from './heartbeating.ts';
import { actionOf } from './policy/action.ts';
import type { Decoder } from './policy/decoding/decoder.ts';
import type { Generation } from './policy/decoding/decodingRequest.ts';
import type { PolicyTokenizer } from './policy/tokenizer/policyTokenizer.ts';
import type { LoadVerifiedPolicy, VerifiedPolicy } from './policy/verifiedPolicies.ts';
import type { LoadRunConfig } from './runs/storedConfig.ts';
import type { PolicyActivities } from './signatures.ts';
import type { LoadTaskSources } from './tasks/taskSources.ts';

export interface GenerateDependencies {
  readonly store: ArtifactStore;
  readonly decoder: Pick<Decoder, 'generate' | 'weights'>;
  readonly policies: LoadVerifiedPolicy;
  readonly sources: LoadTaskSources;
  readonly config: LoadRunConfig;
}

/** @throws at once where the decoder's weights are not those that are trained: log-probabilities of others must not reach the loss. */
export function createGenerate(dependencies: GenerateDependencies): PolicyActivities['generate'] {
  const { weights } = dependencies.decoder;
  if (weights !== 'float32') throw new Error(`generate: expected a decoder with weights float32, because rollouts are trained on, got ${weights}`);
  return (input) => heartbeating((signal) => generate(dependencies, input, signal)).catch(throwGenerateFailure);
}

async function generate(dependencies: GenerateDependencies, input: GenerateInput, signal: AbortSignal): Promise<GenerateResult> {
  const { store, decoder, policies, config } = dependencies;
  const [policy, earlier, { policy: settings }] = await Promise.all([policies(input.run, input.policy), segmentsOf(store, input), config(input.run)]);
  const given = await givenTokens(dependencies, input, earlier, policy.tokenizer);
  const context = tokensOf([...earlier, { given, sampled: new Int32Array(), behaviorLogprobs: new Float32Array() }]);
  const maxTokens = Math.min(input.sampling.maxTokensPerTurn, roomAfter(context, input, policy));
  if (maxTokens < 1) return withoutRoom(store, context.length);
  const generation = await decoder.generate(
    policy.directory,
    { context, seed: input.seed, rule: input.sampling, maxTokens, endTokens: [...policy.tokenizer.endOfTurnIds] },
    signal,
  );
  return resultOf(store, policy.tokenizer, settings.turnFormat, { given, contextLength: context.length, generation });
}

function segmentsOf(store: ArtifactStore, input: GenerateInput): Promise<TokenSegment[]> {
  return Promise.all(input.segments.map(async (segment) => decodeSegment(await store.fromBytes(segment))));
}

/** The prompt on turn 0, then what the template puts between two turns. */
async function givenTokens(
  { store, sources }: GenerateDependencies,
  input: GenerateInput,
  earlier: readonly TokenSegment[],
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
async function withoutRoom(store: ArtifactStore, contextTokens: number): Promise<GenerateResult> {
  const nothing: TokenSegment = { given: new Int32Array(), sampled: new Int32Array(), behaviorLogprobs: new Float32Array() };
  return {
    segment: await store.toBytes(encodeSegment(nothing)),
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
  const { tokens: sampled, logprobs: behaviorLogprobs, finishReason } = generation;
  return {
    segment: await store.toBytes(encodeSegment({ given, sampled, behaviorLogprobs })),
    sampledTokens: sampled.length,
    contextTokens: contextLength + sampled.length,
    finishReason,
    action: await actionOf(store, tokenizer.decodeTurn(sampled), format),
  };
}

/** By the error's name: errors that come out of the decoding thread have lost their class. The same input meets these again. */
const remedies: Readonly<Record<string, { readonly type: string; readonly remedy: string }>> = {
  CheckpointError: { type: 'BadCheckpoint', remedy: '`npm run resume -- <run>` goes on from the newest checkpoint that is whole' },
  SafetensorsError: { type: 'BadCheckpoint', remedy: '`npm run resume -- <run>` goes on from the newest checkpoint that is whole' },
  NonFiniteLogits: { type: 'NonFiniteLogits', remedy: 'lower the learning rate and resume from an earlier checkpoint' },
};

function throwGenerateFailure(error: unknown): never {
  const known = error instanceof Error ? remedies[error.name] : undefined;
  if (known === undefined || !(error instanceof Error)) throw error;
  throw ApplicationFailure.create({ type: known.type, message: `${error.message}. What to do: ${known.remedy}`, nonRetryable: true, cause: error });
}

function inputFailure(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`generate, ${message}`, 'BadInput');
}
