import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { createBoundedFetch, type FetchDocument } from './bounded-fetch.ts';
import type { KeyCacheOptions } from './verifier-options.ts';
import { VerifyError } from './verify-error.ts';

export interface KeySourceOptions {
  issuer: string;
  /** Default: the `jwks_uri` of the issuer's discovery document. */
  jwksUri?: string | undefined;
  cache?: KeyCacheOptions | undefined;
  timeoutMs: number;
  fetch: typeof fetch;
  /** @returns what is wrong with a URL that keys would be read from */
  problemOfUrl(url: string): string | undefined;
}

/**
 * The keys of the issuer, kept by jose. All callers share one request. Keys are read again when they are old, and when a
 * token has an unknown `kid`.
 *
 * @throws VerifyError `keys_unavailable` when the keys are not known and cannot be read
 */
export function createKeySource(options: KeySourceOptions): JWTVerifyGetKey {
  const { refreshAfterSeconds = 600 } = options.cache ?? {};
  const fetchDocument = createBoundedFetch(options.fetch);
  let keySet: ReturnType<typeof openKeySet> | undefined;
  const opened = () => {
    keySet ??= openKeySet(options, fetchDocument).catch((error) => {
      keySet = undefined;
      throw error;
    });
    return keySet;
  };

  return async (header, token) => {
    try {
      const { keys, fetchedAt } = await opened();
      const isOld = Date.now() > fetchedAt() + refreshAfterSeconds * 1000;
      // The keys stay in use meanwhile. If they get too old, jose reads them before it answers.
      if (keys.fresh && isOld && !keys.reloading) keys.reload().catch(() => {});
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new VerifyError('keys_unavailable', "The keys of the issuer can't be read right now.", {
        cause: error,
      });
    }
  };
}

/** No key fits the token. All other errors mean that the keys are not known. */
const isAboutToken = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

async function openKeySet(options: KeySourceOptions, fetchDocument: FetchDocument) {
  const { jwksUri, cache = {}, timeoutMs } = options;
  const { maxAgeSeconds = 3600, cooldownSeconds = 30 } = cache;
  let fetchedAt = 0;
  const url = jwksUri ?? (await discoverKeys(options, fetchDocument));
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownSeconds * 1000,
    cacheMaxAge: maxAgeSeconds * 1000,
    [customFetch]: async (address, { signal }) => {
      const document = await fetchDocument(String(address), 'keys', signal);
      fetchedAt = Date.now();
      return Response.json(document);
    },
  });
  return { keys, fetchedAt: () => fetchedAt };
}

/** OpenID Connect Discovery §4: the document must be of this issuer, character for character. */
async function discoverKeys(
  { issuer, timeoutMs, problemOfUrl }: KeySourceOptions,
  fetchDocument: FetchDocument,
): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchDocument(url, 'jwks_uri', AbortSignal.timeout(timeoutMs));
  if (document.issuer !== issuer) throw new Error(`${url} is not the document of ${issuer}`);
  const jwksUri = String(document.jwks_uri);
  const problem = problemOfUrl(jwksUri);
  if (problem !== undefined) throw new Error(`jwks_uri of ${url} ${problem}`);
  return jwksUri;
}
