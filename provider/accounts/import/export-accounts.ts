import type { Account, AccountStore } from '../../ports/account-store.ts';

const pageSize = 500;

/**
 * Gives all accounts in order of id. Each account is one line of JSON in the format of the import, with `\n` at its
 * end. The lines contain password hashes. An account that changes during the export is given in its old or in its new
 * state. A new account may be missing.
 */
export async function* exportAccounts({
  accounts,
}: {
  accounts: Pick<AccountStore, 'list'>;
}): AsyncGenerator<string> {
  let page = await accounts.list(undefined, pageSize);
  while (page.length > 0) {
    for (const account of page) yield accountLine(account);
    page = await accounts.list(page.at(-1)?.id, pageSize);
  }
}

/**
 * The order of the fields is part of the format, so that two exports of the same accounts have the same bytes. In the
 * format, the name of the token version is `generation`.
 */
function accountLine(account: Account): string {
  const { id, email, emailVerified, isUnconfirmed, passwordHash, roles, metadata } = account;
  const { tokenVersion: generation } = account;
  const createdAt = new Date(account.createdAt).toISOString();
  const updatedAt = new Date(account.updatedAt).toISOString();
  const disabled = account.state === 'disabled';
  const proof = { emailVerified, unconfirmed: isUnconfirmed };
  const rest = { passwordHash, roles, metadata, disabled, generation, createdAt, updatedAt };
  return `${JSON.stringify({ id, email, ...proof, ...rest })}\n`;
}
