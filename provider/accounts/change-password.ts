import type { NewEvent } from '../events/new-event.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { passwordProblems } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

export interface ChangePasswordInput {
  accountId: string;
  /** The account's when the person who asks signed in. */
  tokenVersion: number;
  current: string;
  next: string;
}

export interface ChangePasswordDeps {
  accounts: Pick<AccountStore, 'findById'>;
  unitOfWork: UnitOfWork;
  passwords: Passwords;
  newEvent: NewEvent;
  clock: Clock;
  metrics: { signIns: Pick<Metrics['signIns'], 'inc'> };
  logger: Pick<Logger, 'info'>;
}

/** Ends every session and token of the account, the one it was asked for from included. */
export type ChangePassword = (input: ChangePasswordInput) => Promise<Account>;

/**
 * For the person themselves, who shows that they know the password they have. A wrong one costs what it costs at
 * sign-in, and is counted as a sign-in that was refused: who stole a session could guess here.
 *
 * Of two changes at once one is made. Throws `validation_failed` with `/newPassword`, `invalid_credentials`,
 * `session_ended` when the account was signed out everywhere, disabled or given another password meanwhile, and
 * `overloaded` when too many passwords wait to be hashed.
 */
export function createChangePassword(deps: ChangePasswordDeps): ChangePassword {
  const { accounts, passwords, metrics, logger } = deps;
  const attempt: ChangePassword = async (input) => {
    const { accountId, tokenVersion, current, next } = input;
    const account = await accounts.findById(accountId);
    if (account?.state !== 'active' || account.tokenVersion !== tokenVersion) throw ended();
    checkNewPassword(input, account.email);
    if (!(await isCurrent(passwords, account, current))) throw refused();
    return replace(deps, account, await passwords.hash(next));
  };
  return async (input) => {
    try {
      return await attempt(input);
    } catch (error) {
      const code = error instanceof GatehouseError ? error.code : undefined;
      if (code === 'overloaded') metrics.signIns.inc({ outcome: 'overloaded' });
      if (code === 'invalid_credentials') {
        metrics.signIns.inc({ outcome: 'refused' });
        logger.info({ accountId: input.accountId }, 'password change refused');
      }
      throw error;
    }
  };
}

function checkNewPassword({ current, next }: ChangePasswordInput, email: string): void {
  const problems = passwordProblems(next, email);
  if (next.normalize('NFC') === current.normalize('NFC'))
    problems.push('The new password is the one you have. Use another one.');
  if (problems.length === 0) return;
  const fields = problems.map((message) => ({ pointer: '/newPassword', message }));
  throw new GatehouseError('validation_failed', problems.join(' '), { fields });
}

async function isCurrent(passwords: Passwords, account: Account, password: string): Promise<boolean> {
  if (account.passwordHash !== undefined)
    return (await passwords.verify(password, account.passwordHash)).matches;
  await passwords.verifyNothing(password);
  return false;
}

/** Hashing took its time: whoever raised the token version since then was first, and what is written here is taken back. */
function replace(
  { unitOfWork, newEvent, clock }: ChangePasswordDeps,
  { id, tokenVersion }: Account,
  passwordHash: string,
): Promise<Account> {
  return unitOfWork.run(async ({ accounts, outbox }) => {
    const changed = await accounts.update(id, { passwordHash, raiseTokenVersion: true }, clock.now());
    if (changed?.state !== 'active' || changed.tokenVersion !== tokenVersion + 1) throw ended();
    await outbox.append(newEvent('user.password_changed', id, { id, email: changed.email }));
    return changed;
  });
}

const refused = () => new GatehouseError('invalid_credentials', 'The current password is wrong.');

const ended = () =>
  new GatehouseError('session_ended', 'Your session has ended. Nothing was changed. Sign in again.');
