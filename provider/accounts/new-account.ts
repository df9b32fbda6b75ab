import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { type FieldProblem, GatehouseError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import { emailAddress } from './email.ts';
import type { PasswordOwner, PasswordRules } from './password-rules.ts';

export interface Credentials {
  email: string;
  password?: string | undefined;
  /** The account that gets the password, as far as it is known. */
  owner?: PasswordOwner | undefined;
}

/**
 * Checks both fields and gives the address without white space around it. Throws `validation_failed` with all problems
 * of both fields.
 */
export async function checkCredentials(
  { email, password, owner }: Credentials,
  rules: Pick<PasswordRules, 'problems'>,
): Promise<string> {
  const parsed = emailAddress.safeParse(email);
  const fields: FieldProblem[] = (parsed.error?.issues ?? []).map(({ message }) => ({
    pointer: '/email',
    message,
  }));
  const problems = password === undefined ? [] : await rules.problems(password, parsed.data ?? email, owner);
  fields.push(...problems.map((message) => ({ pointer: '/password', message })));
  if (parsed.success && fields.length === 0) return parsed.data;
  throw new GatehouseError('validation_failed', fields.map(({ message }) => message).join(' '), { fields });
}

/** Gives a new active account whose creation time is now. */
export function newAccount(
  fields: Pick<Account, 'email' | 'emailVerified' | 'passwordHash' | 'roles' | 'metadata'>,
  clock: Clock,
): Account {
  const now = clock.now();
  return { ...fields, id: newId('user'), state: 'active', tokenVersion: 0, createdAt: now, updatedAt: now };
}

/**
 * Writes the account and `user.created` in one transaction. Gives false when the address is taken. Then nothing is
 * written.
 */
export function addAccount(account: Account, unitOfWork: UnitOfWork, newEvent: NewEvent): Promise<boolean> {
  return unitOfWork.run((stores) => insertAccount(stores, account, newEvent));
}

/** The same in a transaction of the caller. */
export async function insertAccount(
  { accounts, outbox }: Pick<TransactionStores, 'accounts' | 'outbox'>,
  account: Account,
  newEvent: NewEvent,
): Promise<boolean> {
  if (!(await accounts.insert(account))) return false;
  await outbox.append(newEvent('user.created', account.id, { id: account.id, email: account.email }));
  return true;
}
