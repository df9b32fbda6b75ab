import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { noteAccount } from '../../lib/request-scope.ts';
import type { Account } from '../../ports/account-store.ts';
import { type AccountSources, findOidcAccount } from './accounts-view.ts';

/** The session of a browser in which a person is signed in. */
export interface BrowserSession {
  uid: string;
  account: Account;
  /** When the person signed in, in milliseconds since the epoch. */
  startedAt: number;
  /** How the person signed in (RFC 8176). `mfa` is among them after a sign-in with two factors. */
  amr: readonly string[];
}

/**
 * @returns undefined when there is no session, when it has ended, or when its account is disabled, deleted, or was signed
 *   out everywhere since
 */
export async function findBrowserSession(
  provider: Provider,
  sources: AccountSources,
  ctx: Context,
): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(ctx as never);
  if (session.accountId === undefined) return undefined;
  const { tokenVersion } = session as { tokenVersion?: number };
  const found = await findOidcAccount(sources, session.accountId, { tokenVersion, uid: session.uid });
  if (!found) return undefined;
  noteAccount(found.accountId);
  const { uid, loginTs = 0, amr = [] } = session;
  return { uid, account: found.account, startedAt: loginTs * 1000, amr };
}
