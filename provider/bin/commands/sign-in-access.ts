import { composeSignIns } from '../../compose/compose-sign-ins.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { ConfigurationError } from '../../lib/errors.ts';
import type { SignInEntry, SignIns } from '../../oidc/sessions/sign-ins.ts';
import type { Account } from '../../ports/account-store.ts';
import { type AccountAccess, findAccount } from './account-access.ts';
import { type RevocationAccess, withRevocation } from './revocation-access.ts';
import { silentLogger } from './silent-logger.ts';

/** What commands about an account's sign-ins need. */
export interface SignInAccess {
  account: Account;
  accounts: AccountAccess['accounts'];
  signIns: SignIns;
  /** Where the account is signed in. Throws a ConfigurationError when that can't be read with these server secrets. */
  list(): Promise<SignInEntry[]>;
  /** Why a sign-in that somebody knows of may not be found from here; empty where nothing speaks for it. */
  doubt: string;
}

/**
 * Opens the stores that the servers use, as they do, for as long as `work` takes. What it ends is told as done by the
 * operator. Throws `not_found` when there is no such account, and as `withRevocation` does.
 */
export function withSignIns<T>(who: string, work: (access: SignInAccess) => Promise<T>): Promise<T> {
  return withRevocation((access) => compose(who, access, work), { secrets: true });
}

async function compose<T>(
  who: string,
  access: RevocationAccess,
  work: (access: SignInAccess) => Promise<T>,
): Promise<T> {
  const { accounts, config, doubt, ports, revocation, store } = access;
  const serverKeys = await access.serverKeys();
  // What can't be taken off the list is said when its place is ended.
  const parts = { config, ports, serverKeys, clock, revocation, logger: silentLogger() };
  const { signIns } = composeSignIns(parts);
  const account = await findAccount(store, who);
  const list = async () => {
    if (!(await signIns.isReadable(account.id))) throw foreignSecrets();
    return signIns.list(account.id);
  };
  return work({ account, accounts, signIns, list, doubt });
}

const foreignSecrets = () =>
  new ConfigurationError([
    "The account's sign-ins can't be read: they were sealed with other server secrets. Set GATEHOUSE_SERVER_SECRETS as the servers have it.",
  ]);
