import type { EventType, NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Account, AccountChange, AccountStore } from '../ports/account-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { type WriteMail, writePasswordChanged } from './mails.ts';
import { addAccount, checkCredentials, newAccount } from './new-account.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

/*
 * This folder contains the rules about accounts: addresses, passwords and their hashes, sign-in, sign-up and
 * administration. It does not count attempts (rate-limits), issue tokens (oidc) or store accounts
 * (ports/account-store.ts). It contains no HTTP.
 */

export interface CreateAccountInput {
  email: string;
  /** Left out for an account without a password. */
  password?: string | undefined;
  roles: string[];
  metadata: Record<string, unknown>;
  emailVerified: boolean;
}

export interface AccountsDeps {
  accounts: Pick<AccountStore, 'findById'>;
  unitOfWork: UnitOfWork;
  passwords: Pick<Passwords, 'hash'>;
  passwordRules: Pick<PasswordRules, 'problems'>;
  newEvent: NewEvent;
  /** Undefined when mail is off. */
  writeMail?: WriteMail | undefined;
  clock: Clock;
  /** The permissions of each role. */
  permissionsByRole: Readonly<Record<string, readonly string[]>>;
}

export interface Accounts {
  /** Gives undefined when the address is taken. Throws `validation_failed` with fields, or `overloaded`. */
  create(input: CreateAccountInput): Promise<Account | undefined>;
  findById(id: string): Promise<Account | undefined>;
  /** Gives the permissions of the given roles, sorted and without duplicates. A role that isn't configured has none. */
  permissionsOf(roles: readonly string[]): readonly string[];
  /** Ends every token that was issued before. Throws `not_found`, `validation_failed` with fields, or `overloaded`. */
  setPassword(id: string, password: string): Promise<Account>;
  /**
   * Stores each role once, in the given order. Access tokens keep their roles until they expire. Throws `not_found`.
   */
  setRoles(id: string, roles: readonly string[]): Promise<Account>;
  /** Ends every token that was issued before; the account can't sign in until it is enabled. Throws `not_found`. */
  disable(id: string): Promise<Account>;
  /** Tokens that were issued before stay invalid. Throws `not_found`. */
  enable(id: string): Promise<Account>;
  /** Ends every token that was issued before. Throws `not_found`. */
  signOutEverywhere(id: string): Promise<Account>;
}

/** The changes that administrators and owners make to accounts. Each change and its event are one transaction. */
export function createAccounts(deps: AccountsDeps): Accounts {
  const { accounts, unitOfWork, passwords, passwordRules, newEvent, writeMail, clock } = deps;
  const permissions = new Map(Object.entries(deps.permissionsByRole));
  /** By the list itself: an account that is kept in memory has the same one for many requests. */
  const known = new WeakMap<readonly string[], readonly string[]>();
  const permissionsOf = (roles: readonly string[]) => {
    const before = known.get(roles);
    if (before) return before;
    const found = [...new Set(roles.flatMap((role) => permissions.get(role) ?? []))].sort();
    known.set(roles, found);
    return found;
  };

  const change = (
    id: string,
    changes: AccountChange,
    type: EventType,
    eventData: (account: Account) => Record<string, unknown> = ({ email }) => ({ id, email }),
  ): Promise<Account> =>
    unitOfWork.run(async (stores) => {
      const account = await stores.accounts.update(id, changes, clock.now());
      if (account === undefined) throw noSuchAccount(id);
      if (changes.raiseTokenVersion) await stores.clientSessions.end({ accountId: id }, clock.now());
      await stores.outbox.append(newEvent(type, id, eventData(account)));
      if (changes.passwordHash !== undefined)
        await writePasswordChanged(writeMail, stores, { account, at: clock.now() });
      return account;
    });

  return {
    create: async ({ password, ...input }) => {
      const email = await checkCredentials({ email: input.email, password, owner: input }, passwordRules);
      const passwordHash = password === undefined ? undefined : await passwords.hash(password);
      const account = newAccount({ ...input, email, passwordHash }, clock);
      return (await addAccount(account, unitOfWork, newEvent)) ? account : undefined;
    },
    findById: (id) => accounts.findById(id),
    permissionsOf,
    setPassword: async (id, password) => {
      const account = await accounts.findById(id);
      if (account === undefined) throw noSuchAccount(id);
      await checkCredentials({ email: account.email, password, owner: account }, passwordRules);
      const passwordHash = await passwords.hash(password);
      return change(id, { passwordHash, raiseTokenVersion: true }, 'user.password_changed');
    },
    setRoles: (id, roles) =>
      change(id, { roles: [...new Set(roles)] }, 'user.roles_changed', (account) => ({
        id,
        roles: account.roles,
      })),
    disable: (id) => change(id, { state: 'disabled', raiseTokenVersion: true }, 'user.disabled'),
    enable: (id) => change(id, { state: 'active' }, 'user.enabled'),
    signOutEverywhere: (id) => change(id, { raiseTokenVersion: true }, 'user.signed_out_everywhere'),
  };
}

function noSuchAccount(id: string): GatehouseError {
  return new GatehouseError('not_found', `There is no account ${id}.`);
}
