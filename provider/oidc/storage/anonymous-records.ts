import { type AdapterPayload, errors } from 'oidc-provider';
import { anonymousRecord } from '../../ports/oidc-store.ts';
import type { RateLimits } from '../../rate-limits/rate-limits.ts';
import type { LimitedRecord } from '../../rate-limits/request-rules.ts';
import { currentContext, orUnavailable } from '../current-request.ts';

/** The requests that are counted already: one request may store two records. */
const counted = new WeakSet<object>();

/** A sealed payload is base64url text of the plaintext, with a nonce and a tag (`lib/server-keys.ts`). */
const sealedLength = (payload: AdapterPayload) =>
  Math.ceil(((Buffer.byteLength(JSON.stringify(payload)) + 28) * 4) / 3);

/**
 * Checks and counts a request that is about to be stored although its sender has proved nothing. The refusal is shown on
 * our own page with its status, because the app cannot do anything about it.
 *
 * @throws `invalid_request` for a record that is too large; an error with status 429 or 503 for too many requests
 */
export async function admitAnonymousRecord(
  { rateLimits }: { rateLimits: Pick<RateLimits, 'count'> },
  action: LimitedRecord,
  payload: AdapterPayload = {},
): Promise<void> {
  // `http/protocol.ts` has checked the length of the parameters. Some values get longer when they are parsed and
  // written again, for example numbers in `claims`.
  if (sealedLength(payload) > anonymousRecord.mostPayloadBytes)
    throw new errors.InvalidRequest('the parameters of the request are too long to be stored');
  const request = currentContext();
  if (request && counted.has(request)) return;
  if (request) counted.add(request);
  await orUnavailable(() => rateLimits.count(action)).catch((error: Error) => {
    throw Object.assign(error, { allow_redirect: false });
  });
}

/** Whether the client of this request has not authenticated itself: it is public (RFC 6749 §2.1). */
export const isPublicClient = (): boolean => currentContext()?.oidc.client?.clientAuthMethod === 'none';
