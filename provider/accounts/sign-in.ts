import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { type ErrorCode, GatehouseError, isFailedGuess } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { multiFactorSignIn, passwordSignIn, type SignInMethods } from '../lib/password-sign-in.ts';
import { noteAccount, requestOrigin } from '../lib/request-scope.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { SignInUnitOfWork, TransactionStores } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { HashingPool } from './hashing-pool.ts';
import { ensureNotTooLong, type PasswordCheck, type Passwords } from './passwords.ts';
import type { AskedSignIn, SecondFactorGate, SecondFactorPolicy, UseStores } from './second-factor-gate.ts';
import { isAppCode } from './second-factors.ts';

export interface SignInInput {
  email: string;
  password: string;
  /** The client that the person signs in to. */
  clientId: string;
  /** The result of `rateLimits.browsers.read`, if a browser sends the request. */
  browser?: string | undefined;
  /** The code of the second factor, if the caller sends it together with the password. */
  code?: string | undefined;
  /** Whether the client or its request needs a second factor. The account and the policy can need one too. */
  needsSecondFactor?: boolean | undefined;
  /**
   * The proofs of a trusted browser (trusted-devices.ts). They replace the code, but not where the client or its request
   * needs a second factor: the level of the sign-in is that of a password.
   */
  trusted?: readonly string[] | undefined;
  /** The place where the person types the code, if it must be the place of the password: the id of an interaction. */
  boundTo?: string | undefined;
}

/**
 * Gives `email_not_verified` for an account whose address must be proved first, with a sealed `confirmation` for the page;
 * otherwise undefined (confirm-address.ts).
 */
export type UnconfirmedGate = (account: Account, asked: AskedSignIn) => GatehouseError | undefined;

/** A sign-in with a password and a code of an app, or a recovery code. */
export const twoFactors: SignInMethods = multiFactorSignIn(['pwd', 'otp']);

export interface SignInOptions {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: SignInUnitOfWork;
  pool: Pick<HashingPool, 'ensureRoom'>;
  passwords: Passwords;
  rateLimits: Pick<RateLimits, 'signIn'>;
  newEvent: NewEvent;
  clock: Clock;
  metrics: { signIns: Pick<Metrics['signIns'], 'inc'> };
  logger: Pick<Logger, 'info'>;
  secondFactor: SecondFactorGate;
  policy: SecondFactorPolicy;
  refuseUnconfirmed: UnconfirmedGate;
}

/** The account that was signed in to. */
export type SignedIn = Account & {
  /** The stored hash covers only a part of the password (passwords.ts). Ask the person for a new one. */
  needsNewPassword?: true | undefined;
  /** What the person proved. Session and tokens say it. */
  methods: SignInMethods;
};

export type SignIn = (input: SignInInput) => Promise<SignedIn>;

/**
 * Creates the one function for sign-in with a password. The page, `/auth/login` and the password grant call it. It
 * gives the account in the state that it had when `user.login` was written. Tokens carry the `tokenVersion` of this
 * state, so they are not valid if the account is disabled directly afterwards.
 *
 * @throws GatehouseError `invalid_credentials`, with the same message and after one hash, for an unknown address, an
 *   account without a password and a wrong password; `account_disabled` only after the right password; `overloaded`
 *   when too many sign-ins run at the same time; `too_many_requests`. After the right password of an account that needs
 *   a second factor: `second_factor_required`, `second_factor_missing` or `invalid_second_factor`. After the right
 *   password of an account whose address must be proved first: `email_not_verified`. A failed sign-in writes only a log line. It contains the account's id and never the typed text, because people type passwords into
 *   the wrong field.
 */
export function createSignIn(options: SignInOptions): SignIn {
  const { accounts, passwords, pool, rateLimits, metrics } = options;
  const attempt = async (
    input: SignInInput,
    find: () => Promise<Account | undefined>,
    tried: { accountId?: string },
  ): Promise<SignedIn> => {
    // This is the first step, so that the result does not depend on whether the account exists.
    ensureNotTooLong(input.password);
    const account = await find();
    if (account !== undefined) tried.accountId = account.id;
    const check = await checkPassword(passwords, account, input.password);
    if (account === undefined || !check.matches) throw refused();
    const rehash = check.needsRehash ? await rehashed(passwords, input.password) : undefined;
    const { needsNewPassword } = check;
    if (rehash === undefined && (await recordUsual(options, account, input)))
      return { ...account, methods: passwordSignIn, needsNewPassword };
    const outcome = await options.unitOfWork.run((stores) =>
      record(stores, options, account, { ...input, needsNewPassword }, rehash),
    );
    if (outcome instanceof GatehouseError) throw outcome;
    return { ...outcome, needsNewPassword };
  };
  return async (input) => {
    const tried: { accountId?: string } = {};
    try {
      // This runs before any call of a store, so that refusing many requests costs little.
      pool.ensureRoom();
      const find = finder(accounts, input.email);
      const { email, browser } = input;
      const tokenVersion = async () => (await find())?.tokenVersion;
      const hasAppCode = input.code !== undefined && isAppCode(input.code);
      const passwordTry = { email, browser, tokenVersion, hasAppCode };
      const account = await rateLimits.signIn(passwordTry, () => attempt(input, find, tried));
      metrics.signIns.inc({ outcome: 'succeeded' });
      noteAccount(account.id);
      return account;
    } catch (error) {
      reportSignIn(error, input.clientId, tried.accountId, options);
      throw error;
    }
  };
}

/** Gives a function that looks the account up when it is first called, and gives the same result to later calls. */
function finder(
  accounts: Pick<AccountStore, 'findByEmail'>,
  email: string,
): () => Promise<Account | undefined> {
  let found: Promise<Account | undefined> | undefined;
  return () => {
    // The form of the address is not checked: accounts made by an earlier release with other rules sign in too.
    found ??= accounts.findByEmail(email);
    return found;
  };
}

/** Counts every failed sign-in and logs failed guesses, for all endpoints. */
export function reportSignIn(
  error: unknown,
  clientId: string,
  accountId: string | undefined,
  { metrics, logger }: Pick<SignInOptions, 'metrics' | 'logger'>,
): void {
  if (!(error instanceof GatehouseError)) return;
  const outcome = failedOutcomes[error.code];
  if (outcome !== undefined) metrics.signIns.inc({ outcome });
  if (isFailedGuess(error))
    logger.info({ reason: error.code, accountId, clientId, ...requestOrigin() }, 'sign-in refused');
}

const failedOutcomes: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'refused',
  invalid_second_factor: 'refused',
  invalid_passkey: 'refused',
  second_factor_required: 'second_factor_required',
  second_factor_missing: 'second_factor_required',
  account_disabled: 'disabled',
  email_not_verified: 'unverified',
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

const refusedByPool: readonly ErrorCode[] = ['overloaded', 'too_many_requests'];

/**
 * Gives the new hash, or undefined when too many hashes wait. Then this sign-in continues without it, and a later
 * sign-in can renew the hash.
 */
async function rehashed(passwords: Passwords, password: string): Promise<string | undefined> {
  try {
    return await passwords.hash(password);
  } catch (error) {
    if (error instanceof GatehouseError && refusedByPool.includes(error.code)) return undefined;
    throw error;
  }
}

/**
 * Writes `user.login` in one statement, if the password is all that the sign-in needs. Gives false, having written
 * nothing, if it needs more, or if the account was changed while the password was hashed: then `record` decides.
 */
async function recordUsual(options: SignInOptions, account: Account, input: SignInInput): Promise<boolean> {
  const { state, isUnconfirmed } = account;
  if (state !== 'active' || isUnconfirmed || needsCode(options.policy, account, input)) return false;
  const [event, signIn] = signInEvent(options.newEvent, account, passwordSignIn, input.clientId);
  return options.unitOfWork.recordSignIn(account, event, signIn);
}

/**
 * Reads the account again, because hashing took time, and writes `user.login`. An account that needs a second factor
 * first gets the error that asks for it. It is given and not thrown, so that a new hash is kept.
 */
async function record(
  stores: TransactionStores,
  options: SignInOptions,
  checked: Account,
  input: SignInInput & AskedSignIn,
  rehash: string | undefined,
): Promise<SignedIn | GatehouseError> {
  const { accounts } = stores;
  const found = await accounts.findById(checked.id);
  if (found === undefined) throw refused();
  if (found.state === 'disabled') throw disabled();
  if (wasReplaced(checked, found)) throw refused();
  if (rehash !== undefined && checked.passwordHash !== undefined) {
    await accounts.replacePasswordHash(found.id, checked.passwordHash, rehash, options.clock.now());
  }
  const unconfirmed = found.isUnconfirmed && options.refuseUnconfirmed(found, input);
  if (unconfirmed) return unconfirmed;
  const mayHaveLost = found.hasSecondFactor && input.code === undefined;
  const isFreed = mayHaveLost && (await options.secondFactor.removeIfDue(stores, found));
  const account = isFreed ? { ...found, hasSecondFactor: undefined } : found;
  return completeSignIn(stores, options, account, input);
}

/**
 * Writes `user.login` after the first step of a sign-in was done. An account that needs a second factor first gets the
 * error that asks for it. It is given and not thrown.
 */
export async function completeSignIn(
  stores: UseStores,
  options: Pick<SignInOptions, 'secondFactor' | 'policy' | 'newEvent'>,
  account: Account,
  input: AskedSignIn & Pick<SignInInput, 'code' | 'needsSecondFactor' | 'trusted'>,
): Promise<SignedIn | GatehouseError> {
  const { secondFactor } = options;
  const isCodeNeeded = needsCode(options.policy, account, input);
  const { code, trusted = [] } = input;
  const mayTrust = isCodeNeeded && !input.needsSecondFactor && trusted.length > 0;
  const isTrusted = mayTrust && (await secondFactor.trusts(stores, account, trusted));
  if (isCodeNeeded && !isTrusted) {
    if (code === undefined) return secondFactor.ask(stores, account, input);
    await secondFactor.prove(stores, account, code);
  }
  const methods = isCodeNeeded && !isTrusted ? twoFactors : passwordSignIn;
  await writeSignIn(stores, options, { ...account, methods }, input.clientId);
  return { ...account, methods };
}

/** Whether the policy asks this account for a second factor, also if it has none yet. */
export const needsFactor = ({ mode, roles }: SecondFactorPolicy, account: Pick<Account, 'roles'>): boolean =>
  mode === 'required' || account.roles.some((role) => roles.includes(role));

/** Whether a password is not enough: for the account, or where it signs in. */
const needsCode = (
  policy: SecondFactorPolicy,
  account: Account,
  input: { needsSecondFactor?: boolean | undefined },
) => account.hasSecondFactor || input.needsSecondFactor || needsFactor(policy, account);

/** Writes `user.login`, and adds the sign-in to the history of the account. */
export const writeSignIn = (
  { outbox }: Pick<TransactionStores, 'outbox'>,
  { newEvent }: Pick<SignInOptions, 'newEvent'>,
  account: Pick<SignedIn, 'id' | 'email' | 'methods'>,
  clientId: string,
): Promise<void> => outbox.append(...signInEvent(newEvent, account, account.methods, clientId));

/** `user.login`, and the entry in the history of the account. */
function signInEvent(
  newEvent: NewEvent,
  { id, email }: Pick<Account, 'id' | 'email'>,
  { amr }: SignInMethods,
  clientId: string,
) {
  const origin = requestOrigin();
  const { ip = 'unknown', userAgent = '' } = origin;
  const event = newEvent('user.login', id, { id, email, clientId, ip, userAgent });
  return [event, { accountId: id, at: event.time, clientId, amr, ...origin }] as const;
}

/**
 * Whether the password was changed after it was checked. A new password raises the token version. If only the hash
 * differs, another sign-in has renewed the hash of the same password.
 */
function wasReplaced(checked: Account, account: Account): boolean {
  return checked.tokenVersion !== account.tokenVersion && checked.passwordHash !== account.passwordHash;
}

function refused(): GatehouseError {
  return new GatehouseError('invalid_credentials', 'The email address or the password is wrong.');
}

export function disabled(): GatehouseError {
  return new GatehouseError(
    'account_disabled',
    'This account is disabled. Ask an administrator to enable it.',
  );
}
