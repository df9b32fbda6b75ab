import type { AccessToken, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider';
import type { ClientDirectory } from '../client-facts.ts';
import { endsWithSession, type FamilyFields } from '../patches/models.ts';
import type { OidcAccount } from '../sessions/accounts-view.ts';
import { personalClaims } from './access-token-claims.ts';
import { parseGrantId } from './grant-id.ts';
import { scopeOfClaim } from './scope-claims.ts';
import type { TokenPolicy } from './token-policy.ts';

type Source = FamilyFields & {
  grantId?: string;
  scopes: Set<string>;
  sessionUid?: string;
  claims?: { userinfo?: Record<string, unknown> };
};

export interface ExtraTokenClaimsDeps {
  clients: ClientDirectory;
  policy: TokenPolicy;
  /** What a client is issued under now. */
  clientTokenVersion(clientId: string): number;
}

/**
 * The claims of ours in an access token. The family comes from what the token is issued from: the library has the
 * code or refresh token among the request's entities before the access token is saved.
 */
export async function extraTokenClaims(
  deps: ExtraTokenClaimsDeps,
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
) {
  const { account, entities } = ctx.oidc;
  if (token.kind === 'ClientCredentials') return clientClaim(deps.clientTokenVersion(token.clientId ?? ''));
  const client = deps.clients.find(token.clientId ?? '');
  const source = (entities.RefreshToken ?? entities.AuthorizationCode ?? entities.DeviceCode) as
    | Source
    | undefined;
  if (token.kind !== 'AccessToken' || !account || !client || !source?.familyId) return undefined;
  const { account: person, permissions, tokenVersion } = account as OidcAccount;
  return {
    ...personalClaims(deps.policy, {
      client,
      person: { ...person, permissions, tokenVersion },
      audience: String(token.aud),
      scopes: new Set(token.scope?.split(' ')),
      family: source.familyId,
      consent: parseGrantId(source.grantId ?? '')?.consentId,
      sid: endsWithSession(source) ? source.sessionSid : undefined,
    }),
    ...clientClaim(source.clientTokenVersion),
    ...userinfoClaims(source, client.scopes),
  };
}

/** Of a client that was revoked before; most never are. */
const clientClaim = (tokenVersion = 0) =>
  tokenVersion > 0 ? { client_generation: tokenVersion } : undefined;

/** By name, and only those that a scope of the client's document brings: userinfo cuts them to what was agreed to. */
function userinfoClaims({ claims }: Source, listed: readonly string[]) {
  const names = Object.keys(claims?.userinfo ?? {}).filter((name) => {
    const scope = scopeOfClaim(name);
    return scope !== undefined && listed.includes(scope);
  });
  return names.length > 0 ? { userinfo_claims: names } : {};
}
