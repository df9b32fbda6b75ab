import type { Account as LibraryAccount } from 'oidc-provider';
import type { AccountFacts } from '../ports/account-store.ts';
import { profileClaims } from './scope-claims.ts';

/** An account as the library and our token claims see it. */
export interface OidcAccount extends LibraryAccount {
  generation: number;
  account: AccountFacts;
  permissions: readonly string[];
}

export interface AccountDirectory {
  findById(id: string): Promise<AccountFacts | undefined>;
  permissionsOf(roles: readonly string[]): readonly string[];
}

/**
 * @param bound what the account was signed in by (session, code, token): the account must still have
 *   the generation number it had then
 * @returns undefined when nobody may act as this account any more
 */
export async function findOidcAccount(
  directory: AccountDirectory,
  id: string,
  bound?: { generation?: number | undefined },
): Promise<OidcAccount | undefined> {
  const account = await directory.findById(id);
  if (account?.state !== 'active') return undefined;
  if (bound && bound.generation !== account.generation) return undefined;
  return {
    accountId: account.id,
    generation: account.generation,
    account,
    permissions: directory.permissionsOf(account.roles),
    claims: async (use, _scope, requested) => claimsFor(account, use, requested),
  };
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
