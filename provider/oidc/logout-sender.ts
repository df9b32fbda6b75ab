import type { LogoutResult } from '../events/logout-delivery.ts';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import { newId } from '../lib/ids.ts';
import type { ClaimedLogout } from '../ports/logouts.ts';
import { DestinationRefused, type OutgoingPost } from './outgoing-requests.ts';
import type { SigningKey } from './provider-factory.ts';

/** OpenID Connect Back-Channel Logout 1.0 §2.4 recommends that a logout token is valid for two minutes at most. */
const validSeconds = 120;

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

export interface LogoutSenderOptions {
  issuer: string;
  clock: Clock;
  /** The key that signs now. Rejects when the keys cannot be read. */
  signingKey(): Promise<Pick<SigningKey, 'kid' | 'alg' | 'sign'>>;
  post: OutgoingPost;
}

/**
 * Sends a logout token to the client (OpenID Connect Back-Channel Logout 1.0 §2.5). Each try has a token of its own: a
 * token that waited would have expired, and its key might not be published any more.
 *
 * @returns a function that rejects only when no token could be signed
 */
export function createLogoutSender(
  options: LogoutSenderOptions,
): (logout: ClaimedLogout) => Promise<LogoutResult> {
  return async (logout) => {
    const form = new URLSearchParams({ logout_token: await logoutToken(options, logout) });
    try {
      const { uri, mayBePrivate } = logout;
      return resultOf(await options.post(uri, form, { mayBePrivate }));
    } catch (error) {
      if (error instanceof DestinationRefused) return { outcome: 'refused', reason: error.message };
      return { outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** §2.4. It has no nonce, so that it can't be taken for an id token. */
async function logoutToken(
  { issuer, clock, signingKey }: LogoutSenderOptions,
  { clientId, accountId, sid }: ClaimedLogout,
): Promise<string> {
  const key = await signingKey();
  const iat = epochSeconds(clock);
  const claims = {
    iss: issuer,
    aud: clientId,
    iat,
    exp: iat + validSeconds,
    jti: newId('logout'),
    sub: accountId,
    ...(sid === undefined ? {} : { sid }),
    events: { [logoutEvent]: {} },
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: key.alg, typ: 'logout+jwt', kid: key.kid })}.${part(claims)}`;
  const signature = await key.sign(Buffer.from(signed));
  return `${signed}.${signature.toString('base64url')}`;
}

/** §2.8: 200 is success, and 204 where a framework sends it instead. 400 means that the client refuses the token. */
function resultOf({ status, error }: Awaited<ReturnType<OutgoingPost>>): LogoutResult {
  if (status === 200 || status === 204) return { outcome: 'delivered' };
  if (status !== 400) return { outcome: 'failed', reason: `the client answered with the status ${status}` };
  const code = error === undefined ? '' : ` and the error ${error}`;
  return { outcome: 'refused', reason: `the client answered with the status 400${code}` };
}
