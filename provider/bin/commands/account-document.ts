import type { Account } from '../../ports/account-store.ts';
import { fieldList, isoTime } from '../cli/table.ts';

/** Returns an account as commands show it, without its password hash. */
export function accountDocument(account: Account): Record<string, unknown> {
  const { id, email, emailVerified, roles, metadata, state, tokenVersion } = account;
  return {
    id,
    email,
    emailVerified,
    state,
    roles,
    metadata,
    generation: tokenVersion,
    hasPassword: account.passwordHash !== undefined,
    createdAt: isoTime(account.createdAt),
    updatedAt: isoTime(account.updatedAt),
  };
}

/** Returns the same as text for a person. */
export function accountText(account: Account): string {
  return fieldList({
    id: account.id,
    email: `${account.email} (${account.emailVerified ? 'verified' : 'not verified'})`,
    state: account.state,
    roles: account.roles.join(', ') || 'none',
    password: account.passwordHash === undefined ? 'none' : 'set',
    metadata: JSON.stringify(account.metadata),
    created: isoTime(account.createdAt),
    updated: isoTime(account.updatedAt),
  });
}
