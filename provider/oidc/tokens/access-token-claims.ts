import type { ClientFacts } from '../client-facts.ts';
import type { TokenPolicy } from './token-policy.ts';

/** What a token says about a person, beyond the claims of RFC 9068 that the library writes. */
export interface PersonalClaims {
  /** The family it belongs to: revocation by family needs it. */
  family: string;
  /** The consent it rests on; withdrawing it ends the token. First-party clients need none. */
  consent?: string;
  /** The session at this client, only where the family ends with it (OpenID Connect Back-Channel Logout §2.1 `sid`). */
  sid?: string;
  /** The account's token version when it was issued. */
  generation: number;
  email?: string;
  email_verified?: boolean;
  roles?: string[];
  permissions?: string[];
  /** What the request's `claims` parameter wants of userinfo (Core §5.5): the token is all that userinfo sees. */
  userinfo_claims?: string[];
}

export interface Person {
  email: string;
  emailVerified: boolean;
  tokenVersion: number;
  roles: readonly string[];
  permissions: readonly string[];
}

export interface PersonalClaimsInput {
  client: ClientFacts;
  person: Person;
  audience: string;
  scopes: ReadonlySet<string>;
  family: string;
  consent?: string | undefined;
  sid?: string | undefined;
}

/**
 * First-party clients get the person's roles and permissions. Third parties get no more than the person agreed
 * to: the person's permissions cut to those the granted scopes stand for, no roles, the address only with
 * its scope (DESIGN §4).
 */
export function personalClaims(policy: TokenPolicy, input: PersonalClaimsInput): PersonalClaims {
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
