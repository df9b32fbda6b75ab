import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { noteAccount } from '../../lib/request-scope.ts';
import type { Account } from '../../ports/account-store.ts';
import { type AccountDirectory, findOidcAccount } from './accounts-view.ts';

/** Who is signed in in a browser. */
export interface BrowserSession {
  uid: string;
  account: Account;
  /** When the person signed in, in milliseconds since the epoch. */
  startedAt: number;
}

/**
 * @returns undefined when nobody is signed in: there is no session, it has ended, or its account is disabled, gone, or was
 *   signed out everywhere since
 */
export async function findBrowserSession(
  provider: Provider,
  accounts: AccountDirectory,
  ctx: Context,
): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(ctx as never);
  if (session.accountId === undefined) return undefined;
  const { tokenVersion } = session as { tokenVersion?: number };
  const found = await findOidcAccount(accounts, session.accountId, { tokenVersion, uid: session.uid });
  if (!found) return undefined;
  noteAccount(found.accountId);
  return { uid: session.uid, account: found.account, startedAt: (session.loginTs ?? 0) * 1000 };
}
