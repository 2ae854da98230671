/** @file Why a model cannot be had from the hub: once more may help, or not. */
import { HubApiError } from '@huggingface/hub';
import { type HubName, hubNameText } from '../../../core/model/hubName.ts';
import { hubEndpoint, hubToken } from './hubSettings.ts';

/** The network, or the hub itself: the same may work later, and goes on where it stopped. */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable';
}

/** The hub says no, or has not what is needed: a person has to do something. */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';
}

/** What to do about an answer that is not 2xx, or about none; anything else, such as a mistake of this program or a file that cannot be written, as it is. */
export function hubError(error: unknown, name: HubName, file?: string): unknown {
  if (error instanceof HubUnreachable || error instanceof HubRefusal) return error;
  const what = `${hubNameText(name)}${file === undefined ? '' : `, ${file}`}`;
  if (!(error instanceof HubApiError)) {
    const reason = unreachableReason(error);
    if (reason === undefined)
      return isBlocked(error)
        ? new HubRefusal(`${what}: expected HF_ENDPOINT to be one that can be asked, got ${error.cause.message}`, { cause: error })
        : error;
    return new HubUnreachable(
      `${what}: expected an answer from ${hubEndpoint()}, got ${reason}; check the network and HF_ENDPOINT, or name a directory that holds the model`,
      { cause: error },
    );
  }
  const { statusCode: status, message } = error;
  if (status === 401 || status === 403) return new HubRefusal(`${what}: ${accessText(name)} (${status}: ${message})`, { cause: error });
  if (status === 404)
    return new HubRefusal(`${what}: expected a model and revision that exist on ${hubEndpoint()}; look at the name (${message})`, { cause: error });
  return new HubUnreachable(`${what}: expected an answer from ${hubEndpoint()}, got ${status}: ${message}; try again later`, { cause: error });
}

/** The hub also says 401 to those who may not know that a model exists. */
function accessText({ repo }: HubName): string {
  const page = `${hubEndpoint()}/${repo}`;
  return hubToken() === undefined
    ? `expected access to a model that is gated, private or absent; accept its terms at ${page} and set HF_TOKEN`
    : `expected HF_TOKEN to give access; accept the model's terms at ${page} with the account of that token`;
}

/** `fetch` fails with a TypeError, as a mistake in a call does; its cause tells them apart: the system's or the connection's error, with its code. */
function unreachableReason(error: unknown): string | undefined {
  // Of the answer to a listing, the one place where JSON is read: a login page of some network, say.
  if (error instanceof SyntaxError) return `an answer that is no JSON (${error.message})`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && !code.startsWith('ERR_INVALID_') ? code : undefined;
}

/** Refused by `fetch` itself, such as a port that no web server has. */
function isBlocked(error: unknown): error is Error & { readonly cause: Error } {
  return error instanceof TypeError && error.message === 'fetch failed' && error.cause instanceof Error;
}
