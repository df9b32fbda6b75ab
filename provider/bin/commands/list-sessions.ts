import { ConfigurationError } from '../../lib/errors.ts';
import type { SignInEntry, SignIns } from '../../oidc/sessions/sign-ins.ts';
import type { Output } from '../cli/output.ts';
import { findAccount } from './find-account.ts';
import { withStores } from './open-stores.ts';
import { grouped, signInDocument, signInTable } from './sign-in-document.ts';

/** `gatehouse sessions list`. Throws `not_found` when there is no such account. */
export async function listSessions(nameOrId: string, output: Output): Promise<void> {
  const needs = { redis: true, serverSecrets: true };
  const { account, entries, redisHint } = await withStores(needs, async (stores) => {
    const signIns = await stores.signIns();
    const account = await findAccount(stores.ports.accounts, nameOrId);
    const entries = grouped(await readSignIns(signIns, account.id));
    return { account, entries, redisHint: stores.redisHint };
  });
  output.result(
    { accountId: account.id, sessions: entries.map(signInDocument) },
    entries.length > 0 ? signInTable(entries) : `${account.email} is signed in nowhere.`,
  );
  if (entries.length === 0 && redisHint !== '') output.note(redisHint);
}

/** Gives the sign-ins of an account. Throws a ConfigurationError when these server secrets can't decrypt the list. */
export async function readSignIns(signIns: SignIns, accountId: string): Promise<SignInEntry[]> {
  if (await signIns.isReadable(accountId)) return signIns.list(accountId);
  throw new ConfigurationError([
    "The account's sign-ins can't be read: they were sealed with other server secrets. Set GATEHOUSE_SERVER_SECRETS as the servers have it.",
  ]);
}
