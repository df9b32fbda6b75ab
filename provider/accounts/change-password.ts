import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError, isFailedGuess } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { type WriteMail, writePasswordChanged } from './mails.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

export interface ChangePasswordInput {
  accountId: string;
  /** The account's token version in the session that requests the change. */
  tokenVersion: number;
  current: string;
  next: string;
  /** The result of `rateLimits.browsers.read`. */
  browser?: string | undefined;
  /** The language of the page, for the mail that tells the person. */
  language?: string | undefined;
}

export interface ChangePasswordDeps {
  accounts: Pick<AccountStore, 'findById'>;
  unitOfWork: UnitOfWork;
  passwords: Passwords;
  passwordRules: Pick<PasswordRules, 'problems'>;
  rateLimits: Pick<RateLimits, 'signIn'>;
  newEvent: NewEvent;
  /** Undefined when mail is off. */
  writeMail?: WriteMail | undefined;
  clock: Clock;
  metrics: Pick<Metrics, 'signIns'>;
  logger: Pick<Logger, 'info'>;
}

/** Changes the password and ends every session and token of the account, also the session that requests the change. */
export type ChangePassword = (input: ChangePasswordInput) => Promise<Account>;

/**
 * Changes a password after the person has entered the current one. A wrong current password takes as long as at sign-in
 * and counts as a failed sign-in, in the same limits, because a thief of a session could guess the password here.
 *
 * If two changes run at the same time, only one of them succeeds. Throws `validation_failed` for `/newPassword`;
 * `invalid_credentials`; `session_ended` when the account was signed out everywhere, was disabled or got another
 * password in the meantime; `overloaded` when too many passwords wait to be hashed; `too_many_requests`.
 */
export function createChangePassword(deps: ChangePasswordDeps): ChangePassword {
  const { accounts, passwords, rateLimits, metrics, logger } = deps;
  const attempt: ChangePassword = async (input) => {
    const { accountId, tokenVersion, current, next, browser } = input;
    const account = await accounts.findById(accountId);
    if (account?.state !== 'active' || account.tokenVersion !== tokenVersion) throw ended();
    await checkNewPassword(deps.passwordRules, input, account);
    const tried = { email: account.email, browser, tokenVersion: async () => tokenVersion };
    await rateLimits.signIn(tried, async () => {
      if (!(await isCurrent(passwords, account, current))) throw refused();
    });
    return replace(deps, { ...input, account }, await passwords.hash(next));
  };
  return async (input) => {
    try {
      return await attempt(input);
    } catch (error) {
      if (isOverloaded(error)) metrics.signIns.inc({ outcome: 'overloaded' });
      if (isFailedGuess(error)) {
        metrics.signIns.inc({ outcome: 'refused' });
        logger.info({ accountId: input.accountId }, 'password change refused');
      }
      throw error;
    }
  };
}

const isOverloaded = (error: unknown) => error instanceof GatehouseError && error.code === 'overloaded';

async function checkNewPassword(
  rules: Pick<PasswordRules, 'problems'>,
  { current, next }: ChangePasswordInput,
  account: Account,
): Promise<void> {
  const problems = await rules.problems(next, account.email, account);
  if (next.normalize('NFC') === current.normalize('NFC'))
    problems.push('The new password is the one you have. Use another one.');
  if (problems.length === 0) return;
  const fields = problems.map((message) => ({ pointer: '/newPassword', message }));
  throw new GatehouseError('validation_failed', problems.join(' '), { fields });
}

/** Whether this is the password of the account. Takes as long for an account without a password. */
export async function isCurrent(passwords: Passwords, account: Account, password: string): Promise<boolean> {
  if (account.passwordHash !== undefined)
    return (await passwords.verify(password, account.passwordHash)).matches;
  await passwords.verifyNothing(password);
  return false;
}

/** If another change raised the token version while the password was hashed, this change is rolled back. */
function replace(
  { unitOfWork, newEvent, writeMail, clock }: ChangePasswordDeps,
  { account: { id, tokenVersion }, language }: { account: Account; language?: string | undefined },
  passwordHash: string,
): Promise<Account> {
  return unitOfWork.run(async (stores) => {
    const { accounts, outbox, clientSessions } = stores;
    const changed = await accounts.update(id, { passwordHash, raiseTokenVersion: true }, clock.now());
    if (changed?.state !== 'active' || changed.tokenVersion !== tokenVersion + 1) throw ended();
    await clientSessions.end({ accountId: id }, clock.now());
    await outbox.append(newEvent('user.password_changed', id, { id, email: changed.email }));
    await writePasswordChanged(writeMail, stores, { account: changed, at: clock.now(), language });
    return changed;
  });
}

export const refused = () => new GatehouseError('invalid_credentials', 'The current password is wrong.');

export const ended = () =>
  new GatehouseError('session_ended', 'Your session has ended. Nothing was changed. Sign in again.');
