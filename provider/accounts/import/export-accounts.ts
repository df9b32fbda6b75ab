import type { Account, AccountStore } from '../../ports/account-store.ts';

export interface ExportDeps {
  accounts: Pick<AccountStore, 'list'>;
}

const pageSize = 500;

/**
 * All accounts in order of id, each as one line of JSON that the import reads, `\n` included. The lines hold
 * password hashes. An account that is changed meanwhile is given as it was or as it is; one made meanwhile may
 * be missing.
 */
export async function* exportAccounts({ accounts }: ExportDeps): AsyncGenerator<string> {
  let page = await accounts.list(undefined, pageSize);
  while (page.length > 0) {
    for (const account of page) yield accountLine(account);
    page = await accounts.list(page.at(-1)?.id, pageSize);
  }
}

/** The order of the fields is part of the format: two exports of the same accounts are the same bytes. */
function accountLine(account: Account): string {
  const { id, email, emailVerified, passwordHash, roles, metadata, tokenVersion } = account;
  const createdAt = new Date(account.createdAt).toISOString();
  const updatedAt = new Date(account.updatedAt).toISOString();
  const disabled = account.state === 'disabled';
  const times = { createdAt, updatedAt };
  return `${JSON.stringify({ id, email, emailVerified, passwordHash, roles, metadata, disabled, tokenVersion, ...times })}\n`;
}
