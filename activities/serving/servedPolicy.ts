/** @file The policy that a server answers with: its tokenizer, its decoder, and the name that clients call it by. */
import { seedOf } from '../../core/random.ts';
import { tokenizerDirectoryOf } from '../checkpoint/adapterDirectory.ts';
import { readPolicyConfig } from '../checkpoint/policyDirectory.ts';
import type { Decoder } from '../policy/decoding/decoder.ts';
import type { PolicyDirectory } from '../policy/decoding/messages.ts';
import { PolicyTokenizer } from '../policy/tokenizer/policyTokenizer.ts';
import { ApiError, badRequest } from './apiError.ts';
import type { ChatRequest } from './chatRequest.ts';
import { Choice, type ChoiceEnd, type Piece } from './choice.ts';

export interface ServedPolicy {
  /** What clients write as `model`. */
  readonly name: string;
  readonly directory: PolicyDirectory;
  readonly tokenizer: PolicyTokenizer;
  readonly maxPositions: number;
  readonly decoder: Pick<Decoder, 'generate'>;
}

/** Loads everything and samples one token, so that a policy that cannot be served is known before the first client. */
export async function openServedPolicy(name: string, directory: PolicyDirectory, decoder: Pick<Decoder, 'generate'>): Promise<ServedPolicy> {
  const { maxPositions } = await readPolicyConfig(directory.path);
  const policy = { name, directory, tokenizer: await PolicyTokenizer.load(await tokenizerDirectoryOf(directory.path)), maxPositions, decoder };
  const context = policy.tokenizer.encodePrompt([{ role: 'user', content: '' }]);
  const rule = { temperature: 0, topK: 0, topP: 1 };
  await decoder.generate(directory, { context: context.subarray(0, maxPositions - 1), seed: 0, rule, maxTokens: 1, endTokens: [] });
  return policy;
}

/** @throws ApiError when the template refuses the messages, or they leave no room for an answer. */
export function promptTokens({ tokenizer, maxPositions }: ServedPolicy, { messages }: ChatRequest): Int32Array {
  const context = encoded(tokenizer, messages);
  if (context.length < maxPositions) return context;
  const message = `expected fewer than ${maxPositions} tokens, the policy's context, got ${context.length}; shorten the conversation`;
  throw badRequest('messages', message, 'context_length_exceeded');
}

function encoded(tokenizer: PolicyTokenizer, messages: ChatRequest['messages']): Int32Array {
  try {
    return tokenizer.encodePrompt(messages);
  } catch (error) {
    throw new ApiError({ status: 400, message: `messages: ${(error as Error).message}`, code: 'invalid_value', param: 'messages' }, { cause: error });
  }
}

/** Samples one choice; its pieces come as they are known. What is sampled depends on the policy, the request, its seed and the choice's index alone. */
export async function sampleChoice(
  { directory, tokenizer, maxPositions, decoder }: ServedPolicy,
  request: ChatRequest & { readonly seed: number },
  { context, index }: { readonly context: Int32Array; readonly index: number },
  signal: AbortSignal,
  show: (piece: Piece) => void,
): Promise<ChoiceEnd> {
  const choice = new Choice(tokenizer, request.stop);
  const enough = new AbortController();
  const decoding = {
    context,
    seed: seedOf('chat', request.seed, index),
    rule: request.rule,
    maxTokens: Math.min(request.maxTokens ?? maxPositions, maxPositions - context.length),
    endTokens: [...tokenizer.endOfTurnIds],
    watchLikeliest: request.likeliest ?? 0,
  };
  const finishReason = await decoder
    .generate(directory, decoding, AbortSignal.any([signal, enough.signal]), (token) => {
      const piece = choice.push(token);
      if (piece.text !== '' || piece.logprobs.length > 0) show(piece);
      if (choice.stopped) enough.abort();
    })
    .then(
      (generation) => generation.finishReason,
      (error: unknown) => {
        if (choice.stopped) return 'stop' as const;
        throw error;
      },
    );
  return choice.end(finishReason);
}
