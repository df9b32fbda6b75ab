import type { AccessTokenClaims } from './generated/access-token-claims.ts';
import { VerifyError } from './verify-error.ts';

export interface RevocationOptions {
  /** The address of Gatehouse's check. Default: `/auth/verify` of the issuer. An address inside the cluster is faster. */
  url?: string | undefined;
  /** How long to wait for the answer. Default: 2 seconds. */
  timeoutSeconds?: number | undefined;
  /**
   * What to do when Gatehouse cannot be reached or cannot know it. `refuse` (default) answers 503. `accept` lets the token
   * pass, and `revocation` of the token is then `unchecked`.
   */
  whenUnavailable?: 'refuse' | 'accept' | undefined;
}

/** `checked` and `unchecked` are answers of the check. `not_requested`: the verifier has no `revocation` option. */
export type RevocationState = 'checked' | 'unchecked' | 'not_requested';

/**
 * Asks Gatehouse whether a token was revoked (`/auth/verify`). Answers are never kept, because a kept answer would hide a
 * revocation.
 *
 * @throws VerifyError `invalid_token` for a revoked token; `revocation_unavailable` when it cannot be known
 */
export type RevocationLook = (token: string, claims: AccessTokenClaims) => Promise<RevocationState>;

export function createRevocationLook(
  options: RevocationOptions & { url: string; fetch: typeof fetch; resourceMetadata?: string | undefined },
): RevocationLook {
  const { timeoutSeconds = 2, whenUnavailable = 'refuse', fetch: fetchImpl, resourceMetadata } = options;

  const ask = async (token: string, audience: string) => {
    const url = new URL(options.url);
    url.searchParams.set('audience', audience);
    const response = await fetchImpl(url.href, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
      redirect: 'manual',
    });
    await response.body?.cancel();
    return response;
  };

  return async (token, claims) => {
    const answer = await ask(token, claims.aud).catch((cause: unknown) => ({ cause }));
    const status = 'status' in answer ? answer.status : undefined;
    if (status === 200 && 'headers' in answer && isAbout(claims, answer.headers))
      return answer.headers.get('x-auth-revocation') === 'checked' ? 'checked' : 'unchecked';
    if (status === 401)
      throw new VerifyError('invalid_token', 'The access token was revoked.', { resourceMetadata });
    const isAway = status === undefined || status === 429 || status >= 500;
    if (isAway && whenUnavailable === 'accept') return 'unchecked';
    // Every other answer comes from wrong settings, such as an audience that Gatehouse does not know.
    const cause = 'cause' in answer ? answer.cause : new Error(`${options.url} answered ${status}`);
    throw new VerifyError(
      'revocation_unavailable',
      "It can't be checked right now whether the access token was revoked.",
      { cause },
    );
  };
}

/** A 200 of another server, such as a proxy in between, says nothing about the token. */
function isAbout({ sub }: AccessTokenClaims, headers: Headers): boolean {
  try {
    return decodeURIComponent(headers.get('x-auth-subject') ?? '') === sub;
  } catch {
    return false;
  }
}
