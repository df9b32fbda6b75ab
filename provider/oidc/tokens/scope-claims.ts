import type { MetadataClaim } from '../../config/access-model.ts';
import { claimsByScope, mostClaimBytes, profileClaims } from '../../lib/oidc-scopes.ts';
import type { AccountFacts } from '../../ports/account-store.ts';

/** The claims about a person: their scopes, and their values for an account. */
export interface PersonClaims {
  byScope: Readonly<Record<string, string[]>>;
  /** Returns the scope of a claim. Undefined for a claim that belongs to no scope. */
  scopeOf(claim: string): string | undefined;
  /** The values of all claims that the account has, for userinfo. */
  forUserinfo(account: AccountFacts): Record<string, unknown>;
  /**
   * The values for an id token, which has to fit through the headers of gateways: a value that is too large is left out.
   * @param asked the names of the claims that the id token may have
   */
  forIdToken(account: AccountFacts, asked: ReadonlySet<string>): Record<string, unknown>;
}

/** @param configured the claims whose values are fields in the metadata of accounts */
export function createPersonClaims(configured: readonly MetadataClaim[]): PersonClaims {
  const byScope: Record<string, string[]> = claimsByScope(configured);
  const scopes = new Map(
    Object.entries(byScope).flatMap(([scope, names]) => names.map((name) => [name, scope] as const)),
  );
  const forUserinfo = (account: AccountFacts) => ({
    ...profileOf(account.metadata),
    ...configuredOf(configured, account.metadata),
    email: account.email,
    email_verified: account.emailVerified,
    updated_at: Math.floor(account.updatedAt / 1000),
    roles: [...account.roles],
    groups: [...account.roles],
    sub: account.id,
  });
  return {
    byScope,
    scopeOf: (claim) => scopes.get(claim),
    forUserinfo,
    forIdToken: (account, asked) => {
      const fits = ([name, value]: [string, unknown]) =>
        asked.has(name) && (!profileClaims.includes(name) || isShort(value));
      return { ...Object.fromEntries(Object.entries(forUserinfo(account)).filter(fits)), sub: account.id };
    },
  };
}

const isShort = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= mostClaimBytes;

function profileOf(metadata: Record<string, unknown>): Record<string, string> {
  const known = profileClaims.filter((name) => name !== 'updated_at' && typeof metadata[name] === 'string');
  return Object.fromEntries(known.map((name) => [name, String(metadata[name])]));
}

/** A value that is no claim: an object, null, a list of anything but text, or one that is too large. */
function configuredOf(
  claims: readonly MetadataClaim[],
  metadata: Record<string, unknown>,
): Record<string, unknown> {
  const found = claims.flatMap(({ name, field }): [string, unknown][] => {
    const value = Object.hasOwn(metadata, field) ? metadata[field] : undefined;
    const isText = (item: unknown) => typeof item === 'string';
    const isList = Array.isArray(value) && value.every(isText);
    const isClaim = isList || ['string', 'number', 'boolean'].includes(typeof value);
    return isClaim && isShort(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}
