/** @file What went wrong with a model call, as Temporal should see it: again after how long, or never. */
import { APICallError } from '@ai-sdk/provider';
import { ApplicationFailure } from '@temporalio/common';

/** Longer than this nobody waits in silence: a larger `retry-after` is cut. */
const longestWaitMs = 15 * 60_000;

/** Statuses that the same request may not meet again. */
function isTransient(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

export function modelFailure(error: unknown, provider: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const { statusCode, responseHeaders = {}, responseBody } = APICallError.isInstance(error) ? error : {};
  // No status, or a good one whose stream broke: the connection failed, not the request.
  if (statusCode === undefined || statusCode < 400) {
    const unusable = /Unsupported|InvalidPrompt|LoadAPIKey|NoSuchModel/.test((error as Error).name);
    return ApplicationFailure.create({
      message: `${provider}: ${messageOf(error)}`,
      type: unusable ? 'BadModelRequest' : 'ModelUnavailable',
      nonRetryable: unusable,
    });
  }
  const waitMs = retryAfterMs(responseHeaders, Date.now());
  return ApplicationFailure.create({
    message: `${provider} answered ${statusCode}: ${messageOf(error)}${excerptOf(responseBody, messageOf(error))}${remedyFor(statusCode)}`,
    type: statusCode === 429 ? 'RateLimited' : isTransient(statusCode) ? 'ModelUnavailable' : 'BadModelRequest',
    nonRetryable: !isTransient(statusCode),
    ...(waitMs !== undefined && isTransient(statusCode) && { nextRetryDelay: waitMs }),
  });
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. Undefined: the backoff of the retry policy. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const exact = Number.parseFloat(headers['retry-after-ms'] ?? '');
  const text = headers['retry-after'] ?? '';
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  const waitMs = [exact, seconds * 1000, Date.parse(text) - nowMs].find((candidate) => Number.isFinite(candidate));
  return waitMs === undefined ? undefined : Math.min(longestWaitMs, Math.max(1, Math.ceil(waitMs)));
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  const reason = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : '';
  return `${message}${reason}`;
}

function excerptOf(body: string | undefined, message: string): string {
  const text = (body ?? '').replace(/\s+/g, ' ').trim();
  return text === '' || text.includes(message) || /^<(!doctype|html)/i.test(text) ? '' : `: ${text.slice(0, 200)}`;
}

function remedyFor(status: number): string {
  if (status === 401 || status === 403) return '; check the key of this provider where turnwise runs';
  return status === 404 ? '; check the name of the model and, for compatible, --base-url' : '';
}
