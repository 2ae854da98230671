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

/** What to do about an answer that is not 2xx, or about none. */
export function hubError(error: unknown, name: HubName, file?: string): Error {
  if (error instanceof HubUnreachable || error instanceof HubRefusal) return error;
  const what = `${hubNameText(name)}${file === undefined ? '' : `, ${file}`}`;
  if (!(error instanceof HubApiError)) {
    const reason = reasonOf(error);
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

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : error.message;
}
