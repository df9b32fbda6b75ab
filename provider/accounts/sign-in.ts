import type { Clock } from '../lib/clock.ts';
import { type ErrorCode, GatehouseError, isFailedGuess } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
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

export interface SignInDeps {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: UnitOfWork;
  passwords: Passwords;
  newEvent: NewEvent;
  clock: Clock;
  metrics: Pick<Metrics, 'signIns'>;
  logger: Pick<Logger, 'info'>;
}

export type SignIn = (input: SignInInput) => Promise<Account>;

/**
 * The only way to sign in with a password. Gives the account as it was when `user.login` was written. Tokens that are made
 * from it carry that `tokenVersion`, so they are invalid if the account is disabled immediately afterwards.
 *
 * Throws `invalid_credentials`, with the same text and after one hash, for an unknown address, for an account without a
 * password and for a wrong password; `account_disabled` only when the password is right; `overloaded` when too many people
 * sign in at once. A failed sign-in writes only a line in the log. The line names the account and never what was typed,
 * because people type passwords into the wrong field.
 */
export function createSignIn(deps: SignInDeps): SignIn {
  const { accounts, passwords, metrics } = deps;
  const attempt = async (input: SignInInput, tried: { accountId?: string }): Promise<Account> => {
    // First, so that it makes no difference whether the account exists.
    ensureNotTooLong(input.password);
    // No account has an address that isn't one, and some stores fail on such a text.
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
      metrics.signIns.inc({ outcome: 'succeeded' });
      return account;
    } catch (error) {
      report(error, input, tried, deps);
      throw error;
    }
  };
}

const outcomes: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'refused',
  account_disabled: 'disabled',
  overloaded: 'overloaded',
};

/** Counts the failure, and logs each failed guess, whichever endpoint it came from. */
function report(
  error: unknown,
  { clientId, ip, userAgent }: SignInInput,
  { accountId }: { accountId?: string },
  { logger, metrics }: SignInDeps,
): void {
  if (!(error instanceof GatehouseError)) return;
  const { code: reason } = error;
  const outcome = outcomes[reason];
  if (outcome !== undefined) metrics.signIns.inc({ outcome });
  if (!isFailedGuess(error)) return;
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

/** Undefined when too many hashes wait: this sign-in works without a new hash, and the next one can make it. */
async function rehashed(passwords: Passwords, password: string): Promise<string | undefined> {
  try {
    return await passwords.hash(password);
  } catch (error) {
    if (error instanceof GatehouseError && error.code === 'overloaded') return undefined;
    throw error;
  }
}

/** Reads the account again, because it may have changed during hashing, and writes `user.login`. */
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

/** A new password raises the token version. If only the hash is new, another sign-in rehashed the same password. */
function wasReplaced(checked: Account, account: Account): boolean {
  return checked.tokenVersion !== account.tokenVersion && checked.passwordHash !== account.passwordHash;
}

/** Cut by code points, so that no character is split. */
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
