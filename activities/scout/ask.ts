/** @file One model call by the AI SDK, streamed, so that its heartbeats say how far it is and a stream that stalls is noticed. */
import { ApplicationFailure } from '@temporalio/common';
import { Output, streamText } from 'ai';
import type { z } from 'zod';
import { bytesPerToken, type Usage } from '../../core/scout/budget.ts';
import type { ModelChoice } from '../../core/scout/run.ts';
import type { Report } from '../heartbeating.ts';
import type { CallAnswer, CallRequest } from './callStore.ts';
import { modelFailure } from './modelErrors.ts';
import { keyOf, providers } from './models.ts';

/** Nothing at all for this long: the call is given up and tried again. Reasoning models are silent for a minute or two. */
const silenceMs = 180_000;

export interface AskOptions {
  readonly schema: z.ZodType;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** For tests. */
  readonly silenceMs?: number;
}

export type Ask = (request: CallRequest, options: AskOptions) => Promise<CallAnswer>;

/** Keys come from the environment of the worker. @throws ApplicationFailure of modelErrors.ts; `NoModelKey` where there is no key. */
export function createAsk(environment: NodeJS.ProcessEnv): Ask {
  // The SDK prints a warning for what a provider ignores; a worker's log is not the place.
  (globalThis as { AI_SDK_LOG_WARNINGS?: boolean }).AI_SDK_LOG_WARNINGS = false;
  return async (request, options) => {
    const { provider } = request.model;
    const model = await providers[provider].connect(request.model, keyFor(request.model, environment));
    const silence = new Silence(options.silenceMs ?? silenceMs);
    try {
      const stream = streamText({
        model,
        instructions: request.system,
        messages: request.messages.map((message) => ({ ...message })),
        maxOutputTokens: request.maxOutputTokens,
        maxRetries: 0,
        abortSignal: AbortSignal.any([options.signal, silence.signal]),
        ...(providers[provider].structured && { output: Output.object({ schema: options.schema }) }),
        onError: () => {}, // errors arrive in the stream as well
      }).stream;
      const answer = await answerIn(stream as AsyncIterable<StreamPart>, silence, options.report);
      return { ...answer, usage: counted(answer, request) };
    } catch (error) {
      if (options.signal.aborted) throw error;
      throw silence.signal.aborted ? silence.failure(provider) : modelFailure(error, provider);
    } finally {
      silence.end();
    }
  };
}

function keyFor(model: Pick<ModelChoice, 'provider'>, environment: NodeJS.ProcessEnv): string | undefined {
  try {
    return keyOf(model, environment);
  } catch (error) {
    throw ApplicationFailure.nonRetryable((error as Error).message, 'NoModelKey');
  }
}

/** The parts of the SDK's stream that matter here. */
interface StreamPart {
  readonly type: string;
  readonly text?: string;
  readonly toolName?: string;
  readonly error?: unknown;
  readonly finishReason?: string;
  readonly totalUsage?: { readonly inputTokens?: number; readonly outputTokens?: number };
}

async function answerIn(stream: AsyncIterable<StreamPart>, silence: Silence, report: Report): Promise<CallAnswer> {
  let text = '';
  const toolNames: string[] = [];
  for await (const part of stream) {
    silence.broken();
    if (part.type === 'error') throw part.error;
    if (part.type === 'abort') throw new Error('the call was aborted');
    if (part.type === 'text-delta') text += part.text ?? '';
    if (part.type === 'tool-call' && part.toolName) toolNames.push(part.toolName);
    if (part.type === 'finish') {
      const { inputTokens = 0, outputTokens = 0 } = part.totalUsage ?? {};
      return { text, finishReason: part.finishReason ?? 'unknown', toolNames, usage: { calls: 1, inputTokens, outputTokens } };
    }
    report({ receivedCharacters: text.length });
  }
  throw new Error('the stream ended before the answer did');
}

/** Some servers report no usage; a budget that counted nothing would never end. */
function counted({ usage, text }: CallAnswer, { system, messages }: CallRequest): Usage {
  const { calls, inputTokens, outputTokens } = usage;
  const estimate = (...texts: readonly string[]) => Math.ceil(Buffer.byteLength(texts.join('')) / bytesPerToken);
  return {
    calls,
    inputTokens: inputTokens || estimate(system, ...messages.map(({ content }) => content)),
    outputTokens: outputTokens || estimate(text),
  };
}

/** Aborts when nothing was heard for too long. */
class Silence {
  readonly #controller = new AbortController();
  readonly #longestMs: number;
  #timer: NodeJS.Timeout;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  failure(provider: string): ApplicationFailure {
    return ApplicationFailure.retryable(`${provider}: nothing came for ${this.#longestMs / 1000} s; the call was given up`, 'ModelUnavailable');
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(), this.#longestMs);
  }
}
