import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { NewEvent } from './account-events.ts';
import { emailAddress } from './email.ts';
import { ensureNotTooLong, type PasswordCheck, type Passwords } from './passwords.ts';

export interface SignInInput {
  email: string;
  password: string;
  /** The client the person signs in to. */
  clientId: string;
  ip: string;
  userAgent: string | undefined;
}

export interface SignInMetrics {
  signedIn(outcome: 'succeeded' | 'refused' | 'disabled' | 'overloaded'): void;
}

export interface SignInDeps {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: UnitOfWork;
  passwords: Passwords;
  newEvent: NewEvent;
  clock: Clock;
  metrics?: SignInMetrics;
  logger: { info(fields: Record<string, unknown>, message: string): void };
}

export type SignIn = (input: SignInInput) => Promise<Account>;

/**
 * The one way to sign in with a password. Gives the account as it was when `user.login` was written: tokens made
 * from it carry that `tokenVersion`, so they are dead if the account is disabled the moment after.
 *
 * Throws `invalid_credentials`, with the same words and after one hash, for an unknown address, an account
 * without a password and a wrong password; `account_disabled` only for who knows the password; `overloaded`
 * when too many sign in at once. A sign-in that fails writes nothing but a line in the log, which names the account and
 * never what was typed: people type passwords into the wrong field.
 */
export function createSignIn(deps: SignInDeps): SignIn {
  const { accounts, passwords, metrics } = deps;
  const attempt = async (input: SignInInput, tried: { accountId?: string }): Promise<Account> => {
    // Before it could make a difference whether there is such an account.
    ensureNotTooLong(input.password);
    // What is no address can't be anybody's, and some stores choke on it.
    const address = emailAddress.safeParse(input.email).data;
    const account = address === undefined ? undefined : await accounts.findByEmail(address);
    if (account !== undefined) tried.accountId = account.id;
    const check = await checkPassword(passwords, account, input.password);
    if (account === undefined || !check.matches) throw refused();
    const rehash = check.needsRehash ? await rehashed(passwords, input.password) : undefined;
    return deps.unitOfWork.run((stores) => record(stores, deps, account, input, rehash));
  };
  return async (input) => {
    const tried: { accountId?: string } = {};
    try {
      const account = await attempt(input, tried);
      metrics?.signedIn('succeeded');
      return account;
    } catch (error) {
      count(error, metrics);
      tell(error, input, tried, deps);
      throw error;
    }
  };
}

/** For who looks into guessed passwords: each refusal, whichever door it came by. */
function tell(
  error: unknown,
  { clientId, ip, userAgent }: SignInInput,
  { accountId }: { accountId?: string },
  { logger }: SignInDeps,
): void {
  if (!(error instanceof GatehouseError)) return;
  const reason = error.code;
  if (reason !== 'invalid_credentials' && reason !== 'account_disabled') return;
  logger.info({ reason, accountId, clientId, ip, userAgent }, 'a sign-in was refused');
}

async function checkPassword(
  passwords: Passwords,
  account: Account | undefined,
  password: string,
): Promise<PasswordCheck> {
  if (account?.passwordHash !== undefined) return passwords.verify(password, account.passwordHash);
  await passwords.verifyNothing(password);
  return { matches: false, needsRehash: false };
}

/** Undefined when too many hashes wait: the next sign-in can do it, and this one is good without. */
async function rehashed(passwords: Passwords, password: string): Promise<string | undefined> {
  try {
    return await passwords.hash(password);
  } catch (error) {
    if (error instanceof GatehouseError && error.code === 'overloaded') return undefined;
    throw error;
  }
}

/** Looks at the account again, since hashing took its time, and writes `user.login`. */
async function record(
  { accounts, outbox }: TransactionStores,
  { newEvent, clock }: SignInDeps,
  checked: Account,
  { clientId, ip, userAgent }: SignInInput,
  rehash: string | undefined,
): Promise<Account> {
  const account = await accounts.findById(checked.id);
  if (account === undefined) throw refused();
  if (account.state === 'disabled') throw disabled();
  if (wasReplaced(checked, account)) throw refused();
  if (rehash !== undefined && checked.passwordHash !== undefined) {
    await accounts.replacePasswordHash(account.id, checked.passwordHash, rehash, clock.now());
  }
  const { id, email } = account;
  const data = { id, email, clientId, ip, userAgent: shortened(userAgent ?? '') };
  await outbox.append(newEvent('user.login', id, data));
  return account;
}

/** A new password raises the token version. A hash that alone is new is another sign-in's rehash of the same password. */
function wasReplaced(checked: Account, account: Account): boolean {
  return checked.tokenVersion !== account.tokenVersion && checked.passwordHash !== account.passwordHash;
}

/** By code points, so that no character is cut in two. */
function shortened(text: string): string {
  return text.length <= 512 ? text : Array.from(text).slice(0, 512).join('');
}

function refused(): GatehouseError {
  return new GatehouseError('invalid_credentials', 'The email address or the password is wrong.');
}

function disabled(): GatehouseError {
  return new GatehouseError(
    'account_disabled',
    'This account is disabled. Ask an administrator to enable it.',
  );
}

function count(error: unknown, metrics: SignInMetrics | undefined): void {
  if (!(error instanceof GatehouseError)) return;
  if (error.code === 'invalid_credentials') metrics?.signedIn('refused');
  if (error.code === 'account_disabled') metrics?.signedIn('disabled');
  if (error.code === 'overloaded') metrics?.signedIn('overloaded');
}
