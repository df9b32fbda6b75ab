import type { Account as LibraryAccount } from 'oidc-provider';
import type { AccountFacts } from '../../ports/account-store.ts';
import { clientKey, type RevocationKey } from '../../ports/denylist.ts';
import { profileClaims } from '../tokens/scope-claims.ts';

/** An account as the library and our token claims see it. */
export interface OidcAccount extends LibraryAccount {
  tokenVersion: number;
  account: AccountFacts;
  permissions: readonly string[];
}

export interface AccountDirectory {
  /** Undefined when there is none, and when any of `unless` is revoked. */
  account(id: string, unless: readonly RevocationKey[]): Promise<AccountFacts | undefined>;
  permissionsOf(roles: readonly string[]): readonly string[];
}

/** What an account was signed in by: a session, a code, a token. */
export interface SignedInBy {
  /** The account's, at that time. */
  tokenVersion?: number | undefined;
  familyId?: string | undefined;
  /** Of what a client was issued, with its number then; none is 0. */
  clientId?: string | undefined;
  clientTokenVersion?: number | undefined;
  /** Of a session. */
  uid?: string | undefined;
  /** Of what was issued in one. */
  sessionUid?: string | undefined;
  expiresWithSession?: boolean | undefined;
}

/**
 * @param bound what the account was signed in by: the account must still have the token version it had then, and
 *   neither the family nor the session nor what the client was issued then may have been ended, whatever their store says
 * @returns undefined when nobody may act as this account any more
 */
export async function findOidcAccount(
  directory: AccountDirectory,
  id: string,
  bound?: SignedInBy,
): Promise<OidcAccount | undefined> {
  const account = await directory.account(id, bound ? endings(bound) : []);
  if (account?.state !== 'active') return undefined;
  if (bound && bound.tokenVersion !== account.tokenVersion) return undefined;
  return {
    accountId: account.id,
    tokenVersion: account.tokenVersion,
    account,
    permissions: directory.permissionsOf(account.roles),
    claims: async (use, _scope, requested) => claimsFor(account, use, requested),
  };
}

function endings(bound: SignedInBy): RevocationKey[] {
  const { familyId, clientId, clientTokenVersion, uid, sessionUid, expiresWithSession } = bound;
  const session = uid ?? (expiresWithSession ? sessionUid : undefined);
  const keys: RevocationKey[] = [];
  if (familyId !== undefined) keys.push(`family:${familyId}`);
  if (clientId !== undefined) keys.push(clientKey(clientId, clientTokenVersion));
  if (session !== undefined) keys.push(`session:${session}`);
  return keys;
}

/**
 * The library cuts these to the scopes granted. The id token carries what was asked for it by the `claims`
 * parameter and no more (OpenID Connect Core §5.4: with an access token, scopes' claims come from userinfo).
 */
function claimsFor(account: AccountFacts, use: string, requested: object) {
  const all: Record<string, unknown> = {
    sub: account.id,
    email: account.email,
    email_verified: account.emailVerified,
    updated_at: Math.floor(account.updatedAt / 1000),
    ...profileOf(account.metadata),
  };
  if (use !== 'id_token') return { ...all, sub: account.id };
  const asked = Object.entries(all).filter(([name]) => Object.hasOwn(requested, name));
  return { ...Object.fromEntries(asked), sub: account.id };
}

function profileOf(metadata: Record<string, unknown>): Record<string, string> {
  const known = profileClaims.filter((name) => name !== 'updated_at' && typeof metadata[name] === 'string');
  return Object.fromEntries(known.map((name) => [name, String(metadata[name])]));
}
