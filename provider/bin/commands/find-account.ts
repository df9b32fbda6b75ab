import { GatehouseError } from '../../lib/errors.ts';
import type { Account, AccountStore } from '../../ports/account-store.ts';

/** Finds an account by its address or its id. Throws `not_found`. */
export async function findAccount(
  store: Pick<AccountStore, 'findByEmail' | 'findById'>,
  account: string,
): Promise<Account> {
  const byAddress = account.includes('@');
  const found =
    (byAddress ? await store.findByEmail(account) : await store.findById(account)) ??
    (byAddress ? await store.findById(account) : undefined);
  if (found) return found;
  throw new GatehouseError('not_found', `There is no account ${account}.`);
}
