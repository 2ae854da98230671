/** @file Requests to the hub with the token of who asks: the client's own parameter for it takes only tokens that begin with hf_, and mirrors have others. */
import { HubRefusal } from './hubErrors.ts';
import { hubEndpoint, hubToken } from './hubSettings.ts';

/** The token goes to the endpoint's origin alone; where a redirect leads to another one, `fetch` itself leaves the header out. */
export async function hubFetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  if (originOf(hubEndpoint()) === undefined)
    throw new HubRefusal(`HF_ENDPOINT: expected a URL such as https://huggingface.co, got ${JSON.stringify(hubEndpoint())}`);
  const token = hubToken();
  if (token === undefined || originOf(input) !== originOf(hubEndpoint())) return fetch(input, init);
  // Said here, because fetch would print the token.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new HubRefusal('HF_TOKEN: expected letters, digits and signs of ASCII without blanks, got others; copy it again');
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers });
}

function originOf(input: string | URL | Request): string | undefined {
  const text = input instanceof Request ? input.url : String(input);
  return URL.canParse(text) ? new URL(text).origin : undefined;
}
