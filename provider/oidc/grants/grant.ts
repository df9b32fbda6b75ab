import type { AccessToken, Grant, KoaContextWithOIDC, Provider } from 'oidc-provider';

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
