import { ConfigurationError } from '../../lib/errors.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { Account, AccountStore } from '../../ports/account-store.ts';
import type { SecondFactors } from '../../ports/second-factors.ts';
import { totpSecretContext } from '../second-factors.ts';
import type { TotpFields } from './import-totp.ts';

const pageSize = 500;

/**
 * How an export shows the secrets of authenticator apps: as they are stored, so that only an installation with the same
 * server secret can read them, or in clear.
 */
export type ExportedSecrets = 'sealed' | 'clear';

/**
 * Gives all accounts in order of id. Each account is one line of JSON in the format of the import, with `\n` at its
 * end. The lines contain password hashes. An account that changes during the export is given in its old or in its new
 * state. A new account may be missing.
 */
export async function* exportAccounts({
  accounts,
  totp,
}: {
  accounts: Pick<AccountStore, 'list'>;
  /** Gives the authenticator app of an account. Left out to leave all of them out. */
  totp?: ((account: Account) => Promise<TotpFields | undefined>) | undefined;
}): AsyncGenerator<string> {
  let page = await accounts.list(undefined, pageSize);
  while (page.length > 0) {
    for (const account of page)
      yield accountLine(account, account.hasSecondFactor && (await totp?.(account)));
    page = await accounts.list(page.at(-1)?.id, pageSize);
  }
}

/** Gives the authenticator apps for an export. */
export function exportedTotp(
  secondFactors: Pick<SecondFactors, 'find'>,
  secrets: ExportedSecrets,
  keys: Pick<ServerKeys, 'open'>,
): (account: Account) => Promise<TotpFields | undefined> {
  return async ({ id }) => {
    const factor = await secondFactors.find(id);
    if (!factor?.hasApp) return undefined;
    const { sealedSecret: sealed, lastStep } = factor;
    if (secrets === 'sealed') return { sealed, lastStep };
    const secret = keys.open(totpSecretContext(id), sealed);
    if (secret === undefined)
      throw new ConfigurationError([
        `The authenticator app of ${id} can't be read: the server secret that sealed it was removed. Use it again, or reset the factors of the account.`,
      ]);
    return { secret, lastStep };
  };
}

/**
 * The order of the fields is part of the format, so that two exports of the same accounts have the same bytes. In the
 * format, the name of the token version is `generation`.
 */
function accountLine(account: Account, totp: TotpFields | false | undefined): string {
  const { id, email, emailVerified, isUnconfirmed, passwordHash, roles, metadata } = account;
  const { tokenVersion: generation } = account;
  const createdAt = new Date(account.createdAt).toISOString();
  const updatedAt = new Date(account.updatedAt).toISOString();
  const disabled = account.state === 'disabled';
  const proof = { emailVerified, unconfirmed: isUnconfirmed };
  const rest = {
    passwordHash,
    roles,
    metadata,
    disabled,
    generation,
    createdAt,
    updatedAt,
    totp: totp || undefined,
  };
  return `${JSON.stringify({ id, email, ...proof, ...rest })}\n`;
}
