import type { Account } from '../../ports/account-store.ts';
import type { MailSuppression } from '../../ports/mail-suppressions.ts';
import type { Passkey } from '../../ports/passkeys.ts';
import type { StoredFactor } from '../../ports/second-factors.ts';
import { fieldList, isoTime } from '../cli/table.ts';

/** Returns an account as commands show it, without its password hash. */
export function accountDocument(account: Account): Record<string, unknown> {
  const { id, email, emailVerified, roles, metadata, state, tokenVersion } = account;
  return {
    id,
    email,
    emailVerified,
    isUnconfirmed: account.isUnconfirmed === true,
    state,
    roles,
    metadata,
    generation: tokenVersion,
    hasPassword: account.passwordHash !== undefined,
    hasSecondFactor: account.hasSecondFactor === true,
    createdAt: isoTime(account.createdAt),
    updatedAt: isoTime(account.updatedAt),
  };
}

/** Returns the second factor of an account as commands show it, without its secret. */
export function factorDocument({ addedAt, recoveryCodes, hasApp }: StoredFactor): Record<string, unknown> {
  const app = hasApp ? { method: 'totp', addedAt: isoTime(addedAt) } : { method: 'passkey' };
  return { ...app, recoveryCodesLeft: recoveryCodes };
}

/** Returns a passkey as commands show it. */
export function passkeyDocument(passkey: Passkey): Record<string, unknown> {
  const { id, name, createdAt, lastUsedAt, isShareable } = passkey;
  const lastUsed = lastUsedAt === undefined ? null : isoTime(lastUsedAt);
  return { id, name, addedAt: isoTime(createdAt), lastUsedAt: lastUsed, synced: isShareable };
}

/** What commands show about an account besides its own fields. */
export interface AccountDetails {
  factor?: StoredFactor | undefined;
  passkeys?: readonly Passkey[];
  suppression?: MailSuppression | undefined;
}

/** Returns the same as text for a person. */
export function accountText(
  account: Account,
  { factor, passkeys = [], suppression }: AccountDetails = {},
): string {
  return fieldList({
    id: account.id,
    email: `${account.email} (${proofOf(account)})`,
    ...(suppression && {
      mail: `suppressed since ${isoTime(suppression.at)} (${suppression.reason}), until ${isoTime(suppression.expiresAt)}`,
    }),
    state: account.state,
    roles: account.roles.join(', ') || 'none',
    password: account.passwordHash === undefined ? 'none' : 'set',
    'second factor': factor
      ? `${factor.hasApp ? `authenticator app since ${isoTime(factor.addedAt)}` : 'passkeys'}, ${factor.recoveryCodes} recovery codes left`
      : 'none',
    passkeys: passkeys.map(passkeyText).join('; ') || 'none',
    metadata: JSON.stringify(account.metadata),
    created: isoTime(account.createdAt),
    updated: isoTime(account.updatedAt),
  });
}

function proofOf({ emailVerified, isUnconfirmed }: Account): string {
  if (emailVerified) return 'verified';
  return isUnconfirmed ? 'not confirmed since the sign-up' : 'not verified';
}

const passkeyText = ({ name, createdAt, lastUsedAt }: Passkey) =>
  `${name}, added ${isoTime(createdAt)}, ${lastUsedAt === undefined ? 'not used yet' : `last used ${isoTime(lastUsedAt)}`}`;
