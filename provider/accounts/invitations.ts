import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import { noteAccount } from '../lib/request-scope.ts';
import { type Account, type AccountStore, emailKey } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import { linkOf, type WriteMail, writePasswordChanged } from './mails.ts';
import { checkCredentials, insertAccount, newAccount } from './new-account.ts';
import { invalid, type OneTimeTokens } from './one-time-tokens.ts';
import { type PasswordRules, requireAllowedPassword } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import { removeForeignAccess } from './take-over.ts';

export interface InvitationsDeps {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: UnitOfWork;
  tokens: OneTimeTokens;
  passwords: Pick<Passwords, 'hash'>;
  passwordRules: Pick<PasswordRules, 'problems'>;
  newEvent: NewEvent;
  writeMail: WriteMail | undefined;
  /** Every link begins with it. */
  issuer: string;
  clock: Clock;
}

export interface InvitationInput {
  email: string;
  /** All roles of the account. If it exists already and this is empty, it keeps its roles. */
  roles: readonly string[];
  metadata: Record<string, unknown>;
  /** The language of the mail and of the page. */
  language?: string | undefined;
  /** The app where the person goes on. */
  client?: { id: string; name?: string | undefined } | undefined;
}

export interface Invitations {
  /**
   * Creates an account without a password, or takes one that has none, and writes a mail with a link to choose it. The links
   * of earlier invitations are invalid then. An account of a sign-up whose address is not confirmed is taken over: its
   * password and all of its sessions end.
   *
   * @returns the account; undefined when the address has an account with a password
   * @throws GatehouseError `validation_failed` for a text that is no address; `account_disabled`
   */
  invite(input: InvitationInput): Promise<{ account: Account; isNew: boolean } | undefined>;
  /** Finds the link of a mail and spends nothing. Throws `invalid_one_time_token`. */
  find(token: string): Promise<{ email: string }>;
  /**
   * Sets the password of the person. The person has read the mail, so the address is verified.
   *
   * @throws GatehouseError `validation_failed` for `/password`; `invalid_one_time_token`; `overloaded`
   */
  accept(input: { token: string; password: string; language?: string | undefined }): Promise<Account>;
}

const purpose = 'invite';

/** Invitations by an administrator: the person chooses the password, so no other person ever knows it. */
export function createInvitations(deps: InvitationsDeps): Invitations {
  const { tokens, newEvent, writeMail, clock } = deps;

  /** Gives the account to invite, in the state that it has before the person has accepted. */
  const prepare = async (
    stores: TransactionStores,
    candidate: Account,
    roles: readonly string[],
    unusableHash: string | undefined,
  ): Promise<{ account: Account; isNew: boolean } | undefined> => {
    if (await insertAccount(stores, candidate, newEvent)) return { account: candidate, isNew: true };
    let account = await stores.accounts.findByEmail(candidate.email);
    if (account === undefined) return undefined;
    if (account.state === 'disabled') throw disabled(account);
    const { id } = account;
    if (account.isUnconfirmed && unusableHash !== undefined) {
      await removeForeignAccess(stores, account, deps);
      const ended = { passwordHash: unusableHash, raiseTokenVersion: true };
      account = (await stores.accounts.update(id, ended, clock.now())) ?? account;
      await stores.clientSessions.end({ accountId: id }, clock.now());
    } else if (account.passwordHash !== undefined) return undefined;
    if (roles.length > 0 && roles.join(' ') !== account.roles.join(' ')) {
      account = (await stores.accounts.update(id, { roles: [...roles] }, clock.now())) ?? account;
      await stores.outbox.append(newEvent('user.roles_changed', id, { id, roles: account.roles }));
    }
    return { account, isNew: false };
  };

  return {
    invite: async ({ roles, metadata, language, client, ...typed }) => {
      const email = await checkCredentials({ email: typed.email }, deps.passwordRules);
      const ownRoles = [...new Set(roles)];
      const fields = { email, emailVerified: false, passwordHash: undefined, roles: ownRoles, metadata };
      const candidate = newAccount(fields, clock);
      const known = await deps.accounts.findByEmail(email);
      // The text of this password is thrown away. So the stranger who signed up can't sign in any more.
      const unusableHash = known?.isUnconfirmed ? await deps.passwords.hash(randomToken()) : undefined;
      return deps.unitOfWork.run(async (stores) => {
        const prepared = await prepare(stores, candidate, ownRoles, unusableHash);
        if (prepared === undefined) return undefined;
        const { account } = prepared;
        const { id, email: address } = account;
        const token = await tokens.createLink(stores, { purpose, account, address });
        const url = linkOf(deps.issuer, '/invitation', { token, language, client_id: client?.id });
        const model = {
          email: address,
          url,
          at: clock.now(),
          ...(client?.name && { clientName: client.name }),
        };
        await writeMail?.(stores, { kind: 'invitation', account, language, model });
        await stores.outbox.append(newEvent('user.invited', id, { id, email: address }));
        return prepared;
      });
    },
    find: async (token) => ({ email: (await tokens.find(purpose, { token })).address }),
    accept: async ({ token, password, language }) => {
      const found = await tokens.find(purpose, { token });
      const rules = { password, email: found.address, pointer: '/password' };
      await requireAllowedPassword(deps.passwordRules, rules);
      const passwordHash = await deps.passwords.hash(password);
      return deps.unitOfWork.run(async (stores) => {
        const before = await tokens.spend(stores, found);
        if (!before || emailKey(before.email) !== emailKey(found.address)) throw invalid();
        const { id, email } = before;
        noteAccount(id);
        const at = clock.now();
        await removeForeignAccess(stores, before, deps);
        const proved = { passwordHash, emailVerified: true, isUnconfirmed: false, raiseTokenVersion: true };
        const account = (await stores.accounts.update(id, proved, at)) ?? before;
        await stores.clientSessions.end({ accountId: id }, at);
        await stores.outbox.append(newEvent('user.password_changed', id, { id, email }));
        await stores.outbox.append(newEvent('user.email_verified', id, { id, email }));
        await writePasswordChanged(writeMail, stores, { account, at, language });
        return account;
      });
    },
  };
}

const disabled = ({ email }: Account) =>
  new GatehouseError(
    'account_disabled',
    `The account of ${email} is disabled. Enable it first: gatehouse accounts enable ${email}`,
  );
