import { GatehouseError } from '../../lib/errors.ts';
import type { SignInEntry } from '../../oidc/sessions/sign-ins.ts';
import type { Account } from '../../ports/account-store.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { type SignInAccess, withSignIns } from './sign-in-access.ts';
import { signInDocument } from './sign-in-document.ts';

export interface EndOptions {
  /** Ids that `sessions list` shows. */
  session: string[];
  client?: string | undefined;
  all: boolean;
}

interface Ended {
  places: SignInEntry[];
  /** What was asked for and isn't there, each in a sentence. */
  missing: string[];
}

/**
 * `gatehouse sessions end`. Throws `not_found` when there is no such account, or, after the rest was ended, when something
 * that was named isn't there.
 */
export async function endSessions(who: string, options: EndOptions, output: Output): Promise<void> {
  refuseUnclear(options);
  const { account, ended } = await withSignIns(who, async (access) => {
    return { account: access.account, ended: await end(options, access) };
  });
  report(account, options, ended, output);
}

/** Exactly one of the three, so that nobody ends everything by leaving something out. */
function refuseUnclear({ session, client, all }: EndOptions): void {
  const given = [session.length > 0, client !== undefined, all].filter(Boolean).length;
  if (given === 1) return;
  const message =
    given > 1
      ? 'Give one of --session, --client and --all.'
      : 'Say what is to end: --session with ids that gatehouse sessions list shows, --client, or --all.';
  throw new CommandFailure('usage', message, { code: 'usage' });
}

async function end({ session, client, all }: EndOptions, access: SignInAccess): Promise<Ended> {
  if (all) return { places: await endAll(access), missing: [] };
  const { account, signIns, doubt } = access;
  const places = (await access.list()).filter(({ id, clientId }) =>
    client === undefined ? session.includes(id) : clientId === client,
  );
  const ids = new Set(places.map(({ id }) => id));
  await signIns.end(account.id, ({ id }) => ids.has(id));
  const hint = doubt === '' ? '' : ` ${doubt}`;
  if (client === undefined) {
    const gone = [...new Set(session)].filter((id) => !ids.has(id));
    return {
      places,
      missing: gone.map((id) => `${account.email} has no session ${id}, or it is over.${hint}`),
    };
  }
  return { places, missing: ids.size > 0 ? [] : [`${account.email} has no session at ${client}.${hint}`] };
}

/** First what every process looks at: from then on every token is dead, whatever fails after it. */
async function endAll({ account, accounts, signIns }: SignInAccess): Promise<SignInEntry[]> {
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

function report(account: Account, { all }: EndOptions, { places, missing }: Ended, output: Output): void {
  const { id, email } = account;
  const what = places.length === 1 ? '1 session' : `${places.length} sessions`;
  const everywhere = `${email} is signed out everywhere (${what}); every token it was issued is dead.`;
  if (places.length > 0 || all || output.json)
    output.result(
      { accountId: id, everywhere: all, ended: places.map(signInDocument) },
      all
        ? everywhere
        : `Ended ${what} of ${email} with all ${places.length === 1 ? 'its' : 'their'} tokens.`,
    );
  const [first, ...others] = missing;
  if (first === undefined) return;
  const failure = others.length > 0 ? `${missing.length} were not found` : first;
  const problems = others.length > 0 ? { problems: missing } : {};
  throw new CommandFailure('problems', failure, { code: 'not_found', ...problems });
}
