import { type AccessToken, errors, type Grant, type KoaContextWithOIDC, type Provider } from 'oidc-provider';

export interface DpopProof {
  thumbprint: string;
  jti: string;
}

type TokenStep = (
  ctx: KoaContextWithOIDC,
  source: object,
  token: AccessToken,
  grant: Grant,
  scopes?: Set<string>,
) => Promise<string | undefined>;

/** The library's steps that our grants consist of, so that no grant leaves one out. */
export interface GrantSteps {
  validateDpop(ctx: KoaContextWithOIDC): Promise<DpopProof | undefined>;
  checkDpopRequired(ctx: KoaContextWithOIDC, proof: DpopProof | undefined): void;
  checkDpopReplay(ctx: KoaContextWithOIDC, proof: DpopProof | undefined, clientId: string): Promise<void>;
  validateGrant(ctx: KoaContextWithOIDC, grantId: string): Promise<Grant>;
  validateAccount(ctx: KoaContextWithOIDC, source: object, label: string): Promise<{ accountId: string }>;
  createAccessToken(ctx: KoaContextWithOIDC, source: object, grantType: string): AccessToken;
  resolveAndApplyResource: TokenStep;
  issueIdToken: TokenStep;
  issueTokens(
    ctx: KoaContextWithOIDC,
    source: object,
    grant: Grant,
    how: { gty: string; entityLabel: string; dPoP: DpopProof | undefined },
  ): Promise<void>;
  buildTokenResponse(response: object): Record<string, unknown>;
  clientCredentials(ctx: KoaContextWithOIDC): Promise<void>;
  deviceCode(ctx: KoaContextWithOIDC): Promise<void>;
}

export type GrantHandler = (ctx: KoaContextWithOIDC) => Promise<void>;

/** One way to get tokens at the token endpoint (RFC 6749 §4). */
export interface TokenGrant {
  name: string;
  /** The request's parameters it reads. */
  parameters: readonly string[];
  handler(provider: Provider, steps: GrantSteps): GrantHandler;
}

/**
 * @returns the parameter's value
 * @throws `invalid_request` (RFC 6749 §5.2) when it is missing, empty, or not one string
 */
export function requiredParameter(ctx: KoaContextWithOIDC, name: string): string {
  const value = ctx.oidc.params?.[name];
  if (typeof value === 'string' && value.length > 0) return value;
  throw new errors.InvalidRequest(`missing required parameter(s): ${name}`);
}

/** @returns the requested scopes in order, or undefined when the request names none */
export function requestedScopes(ctx: KoaContextWithOIDC): string[] | undefined {
  const scope = ctx.oidc.params?.scope;
  return typeof scope === 'string' && scope.length > 0 ? [...new Set(scope.split(' '))] : undefined;
}
