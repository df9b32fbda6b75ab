import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { type ErrorCode, GatehouseError, isFailedGuess } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { noteAccount, requestOrigin } from '../lib/request-scope.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { emailAddress } from './email.ts';
import type { HashingPool } from './hashing-pool.ts';
import { ensureNotTooLong, type PasswordCheck, type Passwords } from './passwords.ts';

export interface SignInInput {
  email: string;
  password: string;
  /** The client that the person signs in to. */
  clientId: string;
  /** What `rateLimits.browsers.read` gave, where a browser asks. */
  browser?: string | undefined;
}

export interface SignInOptions {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: UnitOfWork;
  pool: Pick<HashingPool, 'ensureRoom'>;
  passwords: Passwords;
  rateLimits: Pick<RateLimits, 'signIn'>;
  newEvent: NewEvent;
  clock: Clock;
  metrics: { signIns: Pick<Metrics['signIns'], 'inc'> };
  logger: Pick<Logger, 'info'>;
}

export type SignIn = (input: SignInInput) => Promise<Account>;

/**
 * The one way to sign in with a password: the page, `/auth/login` and the password grant call it. Gives the account as it
 * was when `user.login` was written: tokens made from it carry that `tokenVersion`, so they are dead if the account is
 * disabled a moment later.
 *
 * @throws GatehouseError `invalid_credentials`, with the same words and after one hash, for an unknown address, an account
 *   without a password and a wrong password; `account_disabled` only after the right password; `overloaded` when too many
 *   sign in at once; `too_many_requests`. A failed sign-in writes only a log line, which names the account and never the
 *   typed text: people type passwords into the wrong field.
 */
export function createSignIn(options: SignInOptions): SignIn {
  const { accounts, passwords, pool, rateLimits, metrics } = options;
  const attempt = async (input: SignInInput, tried: { accountId?: string }): Promise<Account> => {
    // First, so that it makes no difference whether the account exists.
    ensureNotTooLong(input.password);
    // A text that is no address belongs to no account, and some stores reject it.
    const address = emailAddress.safeParse(input.email).data;
    const account = address === undefined ? undefined : await accounts.findByEmail(address);
    if (account !== undefined) tried.accountId = account.id;
    const check = await checkPassword(passwords, account, input.password);
    if (account === undefined || !check.matches) throw refused();
    const rehash = check.needsRehash ? await rehashed(passwords, input.password) : undefined;
    return options.unitOfWork.run((stores) => record(stores, options, account, input, rehash));
  };
  return async (input) => {
    const tried: { accountId?: string } = {};
    try {
      // Before any store is asked: refusing a flood must cost little.
      pool.ensureRoom();
      const account = await rateLimits.signIn(input, () => attempt(input, tried));
      metrics.signIns.inc({ outcome: 'succeeded' });
      noteAccount(account.id);
      return account;
    } catch (error) {
      report(error, input, tried, options);
      throw error;
    }
  };
}

/** Counts every failed sign-in, and logs failed guesses, whichever endpoint they came by. */
function report(
  error: unknown,
  { clientId }: SignInInput,
  { accountId }: { accountId?: string },
  { metrics, logger }: SignInOptions,
): void {
  if (!(error instanceof GatehouseError)) return;
  const outcome = failedOutcomes[error.code];
  if (outcome !== undefined) metrics.signIns.inc({ outcome });
  if (isFailedGuess(error))
    logger.info({ reason: error.code, accountId, clientId, ...requestOrigin() }, 'sign-in refused');
}

const failedOutcomes: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'refused',
  account_disabled: 'disabled',
  overloaded: 'overloaded',
};

async function checkPassword(
  passwords: Passwords,
  account: Account | undefined,
  password: string,
): Promise<PasswordCheck> {
  if (account?.passwordHash !== undefined) return passwords.verify(password, account.passwordHash);
  await passwords.verifyNothing(password);
  return { matches: false, needsRehash: false };
}

/** Undefined when too many hashes wait: this sign-in works without it, and the next one can do it. */
async function rehashed(passwords: Passwords, password: string): Promise<string | undefined> {
  try {
    return await passwords.hash(password);
  } catch (error) {
    if (error instanceof GatehouseError && error.code === 'overloaded') return undefined;
    throw error;
  }
}

/** Reads the account again, because hashing took time, and writes `user.login`. */
async function record(
  { accounts, outbox }: TransactionStores,
  { newEvent, clock }: SignInOptions,
  checked: Account,
  { clientId }: SignInInput,
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
  const { ip = 'unknown', userAgent = '' } = requestOrigin();
  const data = { id, email, clientId, ip, userAgent };
  await outbox.append(newEvent('user.login', id, data));
  return account;
}

/** A new password raises the token version. If only the hash is new, another sign-in renewed it for the same password. */
function wasReplaced(checked: Account, account: Account): boolean {
  return checked.tokenVersion !== account.tokenVersion && checked.passwordHash !== account.passwordHash;
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
