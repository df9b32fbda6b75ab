import type { Account } from '../../ports/account-store.ts';
import type { MailSuppression } from '../../ports/mail-suppressions.ts';
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
export function factorDocument({ addedAt, recoveryCodes }: StoredFactor): Record<string, unknown> {
  return { method: 'totp', addedAt: isoTime(addedAt), recoveryCodesLeft: recoveryCodes };
}

/** Returns the same as text for a person. */
export function accountText(account: Account, factor?: StoredFactor, suppression?: MailSuppression): string {
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
      ? `authenticator app since ${isoTime(factor.addedAt)}, ${factor.recoveryCodes} recovery codes left`
      : 'none',
    metadata: JSON.stringify(account.metadata),
    created: isoTime(account.createdAt),
    updated: isoTime(account.updatedAt),
  });
}

function proofOf({ emailVerified, isUnconfirmed }: Account): string {
  if (emailVerified) return 'verified';
  return isUnconfirmed ? 'not confirmed since the sign-up' : 'not verified';
}
