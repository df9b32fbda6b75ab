import { type JWTVerifyOptions, jwtVerify } from 'jose';
import { type AccessToken, createAccessToken } from './access-token.ts';
import { readAuthorizerClaims } from './authorizer-claims.ts';
import { type AccessTokenClaims, accessTokenShape } from './generated/access-token-claims.ts';
import { createKeySource } from './key-source.ts';
import { checkRequirements, combineRequirements, type Requirements } from './requirements.ts';
import { createRevocationLook } from './revocation-look.ts';
import { firstMismatch } from './shape.ts';
import { checkVerifierOptions, problemOfUrl, type VerifierOptions } from './verifier-options.ts';
import { VerifyError, type VerifyErrorCode } from './verify-error.ts';

export interface Verifier {
  /**
   * Checks an access token: signature, issuer, audience, `typ`, times, the requirements, and revocation if the verifier was
   * made so.
   *
   * @param requirements what this call needs in addition to the requirements of the verifier
   * @throws VerifyError for every token that must not pass, and when that cannot be known
   */
  verify(token: string, requirements?: Requirements): Promise<AccessToken>;
  /**
   * The same for the value of an `Authorization` header (RFC 6750 §2.1). Without a `Bearer` token, the error is
   * `missing_token`.
   */
  verifyHeader(authorization: string | undefined, requirements?: Requirements): Promise<AccessToken>;
  /**
   * Reads the claims that an authorizer of API Gateway hands on, of an HTTP API or a REST API. The authorizer has checked
   * the signature. The rest is checked again, so that an authorizer with wrong settings does not open your API.
   *
   * @param claims `event.requestContext.authorizer.jwt.claims` or `event.requestContext.authorizer.claims`
   * @param authorization the header with the token. It is needed if the verifier asks about revocation
   * @throws VerifyError as `verify`; `missing_token` if there are no claims
   */
  acceptAuthorizerClaims(
    claims: Record<string, unknown> | null | undefined,
    requirements?: Requirements,
    authorization?: string,
  ): Promise<AccessToken>;
}

/**
 * Makes a verifier. Make it once, when the service starts: it keeps the keys of the issuer.
 *
 * @throws TypeError for wrong options, with all mistakes at once
 */
export function createVerifier(options: VerifierOptions): Verifier {
  checkVerifierOptions(options);
  const { issuer, algorithms = ['RS256'], clockToleranceSeconds = 5, resourceMetadata, revocation } = options;
  // Looked up at each call, so that a service can replace the global one, for example for tracing.
  const fetchImpl: typeof fetch = (input, init) => (options.fetch ?? fetch)(input, init);
  const audiences = [options.audience].flat();
  const keys = createKeySource({
    issuer,
    jwksUri: options.jwksUri,
    cache: options.keyCache,
    timeoutMs: (options.timeoutSeconds ?? 5) * 1000,
    fetch: fetchImpl,
    problemOfUrl: (url) => problemOfUrl(url, options.allowHttp),
  });
  const lookOptions = revocation === true ? {} : revocation || undefined;
  const look =
    lookOptions &&
    createRevocationLook({
      timeoutSeconds: lookOptions.timeoutSeconds,
      whenUnavailable: lookOptions.whenUnavailable,
      url: lookOptions.url ?? `${issuer.replace(/\/$/, '')}/auth/verify`,
      fetch: fetchImpl,
      resourceMetadata,
    });
  const joseOptions: JWTVerifyOptions = {
    issuer,
    audience: audiences,
    typ: 'at+jwt',
    algorithms: [...algorithms],
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ['exp', 'iat', 'sub', 'jti', 'client_id'],
  };

  const refusal = (code: VerifyErrorCode, message: string, cause?: unknown) =>
    new VerifyError(code, message, { cause, resourceMetadata });

  const accept = async (
    payload: Record<string, unknown>,
    token: string | undefined,
    requirements: Requirements,
  ): Promise<AccessToken> => {
    const mismatch = firstMismatch(payload, accessTokenShape);
    // RFC 9449 §7.2: if a bound token were accepted without a proof, a thief could use it.
    if (payload.cnf !== undefined)
      throw refusal('invalid_token', 'This access token is bound to a key; send one that is not.');
    if (mismatch !== undefined)
      throw refusal('invalid_token', `The access token has no right value for the claim ${mismatch}.`);
    const claims = payload as unknown as AccessTokenClaims;
    const check = (needed: Requirements) =>
      checkRequirements(claims, needed, { resourceMetadata, toleranceSeconds: clockToleranceSeconds });
    if (look && token === undefined) throw refusal('missing_token', 'The access token is missing.');
    const state = look && token !== undefined ? await look(token, claims) : 'not_requested';
    check(combineRequirements(options, requirements));
    return createAccessToken(claims, state, check);
  };

  const verify: Verifier['verify'] = async (token, requirements = {}) => {
    const { payload } = await jwtVerify(token, keys, joseOptions).catch((error: unknown) => {
      if (error instanceof VerifyError) throw error;
      throw refusal(
        'invalid_token',
        'The access token is expired, for another audience or not of this issuer.',
        error,
      );
    });
    return accept(payload, token, requirements);
  };

  const tokenOf = (authorization: string | undefined): string => {
    if (!/^bearer( |$)/i.test(authorization ?? ''))
      throw refusal('missing_token', 'Send an access token as Bearer.');
    const token = /^bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined)
      throw refusal('invalid_token', 'The header Authorization has no single access token.');
    return token;
  };

  return {
    verify,
    verifyHeader: async (authorization, requirements) => verify(tokenOf(authorization), requirements),
    acceptAuthorizerClaims: async (handedOn, requirements = {}, authorization) => {
      if (!handedOn) throw refusal('missing_token', 'No authorizer has checked an access token.');
      const claims = readAuthorizerClaims(handedOn);
      if (claims.iss !== issuer || !audiences.includes(String(claims.aud)))
        throw refusal('invalid_token', 'The access token is for another audience or of another issuer.');
      if (!(Number(claims.exp) + clockToleranceSeconds > Date.now() / 1000))
        throw refusal('invalid_token', 'The access token is expired.');
      return accept(claims, look && tokenOf(authorization), requirements);
    },
  };
}
