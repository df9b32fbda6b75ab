import { GatehouseError } from '../../lib/errors.ts';
import type { SignInEntry, SignIns } from '../../oidc/sessions/sign-ins.ts';
import type { Account } from '../../ports/account-store.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { findAccount } from './find-account.ts';
import { readSignIns } from './list-sessions.ts';
import { type Stores, withStores } from './open-stores.ts';
import { signInDocument } from './sign-in-document.ts';

export interface EndOptions {
  /** Ids that `sessions list` shows. */
  session: string[];
  client?: string | undefined;
  all: boolean;
}

/** The account, and the stores in which its sign-ins are ended. */
interface Target extends Pick<Stores, 'accounts' | 'redisHint'> {
  account: Account;
  signIns: SignIns;
}

interface Ended {
  entries: SignInEntry[];
  /** A sentence for each named session or client that was not found. */
  missing: string[];
}

/**
 * `gatehouse sessions end`. Throws `not_found` when there is no such account. When a named session or client isn't
 * found, it ends the others first and throws `not_found` then.
 */
export async function endSessions(nameOrId: string, options: EndOptions, output: Output): Promise<void> {
  refuseUnclear(options);
  const { account, ended } = await withStores({ redis: true, serverSecrets: true }, async (stores) => {
    const { accounts, ports, redisHint } = stores;
    const signIns = await stores.signIns();
    const account = await findAccount(ports.accounts, nameOrId);
    return { account, ended: await end(options, { account, accounts, signIns, redisHint }) };
  });
  report(account, options, ended, output);
}

/** Requires exactly one of the three options, so that a forgotten option never ends everything. */
function refuseUnclear({ session, client, all }: EndOptions): void {
  const given = [session.length > 0, client !== undefined, all].filter(Boolean).length;
  if (given === 1) return;
  const message =
    given > 1
      ? 'Give one of --session, --client and --all.'
      : 'Say which sessions to end: --session with ids that gatehouse sessions list shows, --client, or --all.';
  throw new CommandFailure('usage', message, { code: 'usage' });
}

async function end({ session, client, all }: EndOptions, target: Target): Promise<Ended> {
  if (all) return { entries: await endAll(target), missing: [] };
  const { account, signIns, redisHint } = target;
  const entries = (await readSignIns(signIns, account.id)).filter(({ id, clientId }) =>
    client === undefined ? session.includes(id) : clientId === client,
  );
  const ids = new Set(entries.map(({ id }) => id));
  await signIns.end(account.id, ({ id }) => ids.has(id));
  const hint = redisHint === '' ? '' : ` ${redisHint}`;
  if (client === undefined) {
    const gone = [...new Set(session)].filter((id) => !ids.has(id));
    return {
      entries,
      missing: gone.map((id) => `${account.email} has no session ${id}, or it is over.${hint}`),
    };
  }
  return { entries, missing: ids.size > 0 ? [] : [`${account.email} has no session at ${client}.${hint}`] };
}

/** Raises the account's token version first. From then on every token is refused, even if a later step fails. */
async function endAll({ account, accounts, signIns }: Target): Promise<SignInEntry[]> {
  const [listing] = await Promise.allSettled([signIns.list(account.id)]);
  await accounts.signOutEverywhere(account.id);
  try {
    if (listing.status === 'rejected') throw listing.reason;
    await signIns.end(account.id, () => true);
    return listing.value;
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    const message = `Every token ${account.email} was issued is dead, but what is stored of its sessions is still there: ${error.message}`;
    throw new GatehouseError(error.code, message, { cause: error.cause });
  }
}

function report(account: Account, { all }: EndOptions, { entries, missing }: Ended, output: Output): void {
  const { id, email } = account;
  const what = entries.length === 1 ? '1 session' : `${entries.length} sessions`;
  const everywhere = `${email} is signed out everywhere (${what}); every token it was issued is dead.`;
  if (entries.length > 0 || all || output.json)
    output.result(
      { accountId: id, everywhere: all, ended: entries.map(signInDocument) },
      all
        ? everywhere
        : `Ended ${what} of ${email} with all ${entries.length === 1 ? 'its' : 'their'} tokens.`,
    );
  const [first, ...others] = missing;
  if (first === undefined) return;
  const failure = others.length > 0 ? `${missing.length} were not found` : first;
  const problems = others.length > 0 ? { problems: missing } : {};
  throw new CommandFailure('problems', failure, { code: 'not_found', ...problems });
}
