import type { AccessToken, ClientCredentials, KoaContextWithOIDC } from 'oidc-provider';
import type { ClientDocument } from '../../clients/client-document.ts';
import { clientOf } from '../current-request.ts';
import type { FamilyFields } from '../patches/authorization-codes.ts';
import { endsWithSession } from '../patches/refresh-tokens.ts';
import type { OidcServices } from '../services.ts';
import type { OidcAccount, PersonClaims } from '../sessions/accounts-view.ts';
import { parseGrantId } from './grants.ts';
import type { TokenPolicy } from './token-policy.ts';

/** The code or refresh token that an access token is issued from. */
type Source = FamilyFields & {
  grantId?: string;
  scopes: Set<string>;
  sessionUid?: string;
  acr?: string;
  amr?: string[];
  authTime?: number;
  claims?: { userinfo?: Record<string, unknown> };
};

/**
 * Our own claims in an access token. The family is read from the code or refresh token that the token is issued from.
 * The library adds that code or refresh token to the request's entities before it saves the access token.
 */
export async function extraTokenClaims(
  {
    policy,
    clientTokenVersions,
    personClaims,
  }: Pick<OidcServices, 'policy' | 'clientTokenVersions' | 'personClaims'>,
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
) {
  const { account, entities } = ctx.oidc;
  if (token.kind === 'ClientCredentials') return clientClaim(clientTokenVersions.of(token.clientId ?? ''));
  const source = (entities.RefreshToken ?? entities.AuthorizationCode ?? entities.DeviceCode) as
    | Source
    | undefined;
  if (token.kind !== 'AccessToken' || !account || !source?.familyId) return undefined;
  const client = clientOf(ctx);
  const { account: person, permissions, tokenVersion } = account as OidcAccount;
  return {
    ...personalClaims(policy, {
      client,
      person: { ...person, permissions, tokenVersion },
      audience: String(token.aud),
      scopes: new Set(token.scope?.split(' ')),
      family: source.familyId,
      consent: parseGrantId(source.grantId ?? '')?.consentId,
      sid: endsWithSession(source) ? source.sessionSid : undefined,
    }),
    ...clientClaim(source.clientTokenVersion),
    ...userinfoClaims(personClaims, source, client.scopes),
    ...signInClaims(source),
  };
}

/** Only a client that was revoked before has a token version above 0. */
const clientClaim = (tokenVersion = 0) =>
  tokenVersion > 0 ? { client_generation: tokenVersion } : undefined;

/**
 * The level, the methods and the time of the sign-in (RFC 9068 §2.2.1). All tokens of a family have the same ones: a
 * refresh is no sign-in.
 */
const signInClaims = ({ acr, amr, authTime }: Source) => ({ acr, amr, auth_time: authTime });

/**
 * The names of requested claims that a scope of the client's document brings: userinfo cuts them to what was agreed to.
 */
function userinfoClaims(
  { scopeOf }: Pick<PersonClaims, 'scopeOf'>,
  { claims }: Source,
  listed: readonly string[],
) {
  const names = Object.keys(claims?.userinfo ?? {}).filter((name) => {
    const scope = scopeOf(name);
    return scope !== undefined && listed.includes(scope);
  });
  return names.length > 0 ? { userinfo_claims: names } : {};
}

/** The claims about a person in a token, in addition to the claims of RFC 9068 that the library writes. */
export interface PersonalClaims {
  /** The family of the token: revocation by family needs it. */
  family: string;
  /** The consent that it was issued under; withdrawing that ends the token. First-party clients need none. */
  consent?: string;
  /** The session at this client, only where the family ends with it (OpenID Connect Back-Channel Logout §2.1 `sid`). */
  sid?: string;
  /** The account's token version when the token was issued. */
  generation: number;
  email?: string;
  email_verified?: boolean;
  roles?: string[];
  permissions?: string[];
  /** The claims that the `claims` parameter requests from userinfo (Core §5.5). Userinfo can read only the token. */
  userinfo_claims?: string[];
}

export interface PersonalClaimsInput {
  client: Pick<ClientDocument, 'firstParty'>;
  person: {
    email: string;
    emailVerified: boolean;
    tokenVersion: number;
    roles: readonly string[];
    permissions: readonly string[];
  };
  audience: string;
  scopes: ReadonlySet<string>;
  family: string;
  consent?: string | undefined;
  sid?: string | undefined;
}

/**
 * First-party clients get the person's roles and permissions. Third parties get no more than the person agreed to: the
 * permissions cut to those that the granted scopes stand for, no roles, and the address only with its scope (DESIGN
 * §4).
 */
export function personalClaims(
  policy: Pick<TokenPolicy, 'permissionsOf' | 'hasApiScope'>,
  input: PersonalClaimsInput,
): PersonalClaims {
  const { client, person, audience, scopes, family, consent, sid } = input;
  const address = { email: person.email, email_verified: person.emailVerified };
  const base = {
    family,
    ...(consent ? { consent } : {}),
    ...(sid ? { sid } : {}),
    generation: person.tokenVersion,
  };
  if (client.firstParty) {
    return { ...base, ...address, roles: [...person.roles], permissions: [...person.permissions] };
  }
  const granted = policy.permissionsOf(audience, scopes);
  const isForApi = policy.hasApiScope(audience, scopes);
  return {
    ...base,
    ...(scopes.has('email') ? address : {}),
    ...(isForApi ? { permissions: person.permissions.filter((permission) => granted.has(permission)) } : {}),
  };
}
