import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError, isFailedGuess } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { noteAccount } from '../lib/request-scope.ts';
import { type Account, type AccountStore, emailKey } from '../ports/account-store.ts';
import type { AddressChange, AddressChanges } from '../ports/address-changes.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { ended, isCurrent, refused } from './change-password.ts';
import type { WriteMail } from './mails.ts';
import { checkCredentials } from './new-account.ts';
import type { FoundToken, OneTimeTokens } from './one-time-tokens.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

export interface ChangeAddressDeps {
  accounts: Pick<AccountStore, 'findById'>;
  addressChanges: Pick<AddressChanges, 'waiting'>;
  unitOfWork: UnitOfWork;
  oneTimeTokens: OneTimeTokens;
  passwords: Passwords;
  passwordRules: Pick<PasswordRules, 'problems'>;
  rateLimits: Pick<RateLimits, 'signIn' | 'countAddressChange' | 'tryMailedCode'>;
  newEvent: NewEvent;
  writeMail: WriteMail;
  /** The start of all links. */
  issuer: string;
  clock: Clock;
  metrics: Pick<Metrics, 'signIns'>;
  logger: Pick<Logger, 'info'>;
}

export interface AddressRequest {
  accountId: string;
  /** The account's token version in the session that requests the change. */
  tokenVersion: number;
  /** The new address, as the person typed it. */
  email: string;
  /** The current password. Not needed for an account without one. */
  current: string;
  /** The result of `rateLimits.browsers.read`. */
  browser?: string | undefined;
  /** The language of the page, for the mails. */
  language?: string | undefined;
}

/** What the page of a link shows before its button. */
export interface ShownChange {
  from: string;
  to: string;
}

/**
 * The change of an account's address. The account keeps its address until the new one is confirmed, and each change can be
 * undone from the earlier address for 72 hours.
 */
export interface ChangeAddress {
  /**
   * Sends a mail to the new address, with a link and a code, and a notice to the present one. For an address that another
   * account has, the result and the work are the same, and its owner gets another mail.
   *
   * @throws GatehouseError `validation_failed` for `/email`; `invalid_credentials`; `session_ended`; `overloaded`;
   *   `too_many_requests`
   */
  request(request: AddressRequest): Promise<void>;
  /** The new address of the change that waits for its confirmation. */
  waiting(accountId: string): Promise<string | undefined>;
  /** Shows the change of a link and spends nothing. Throws `invalid_one_time_token`. */
  find(purpose: 'change-address' | 'undo-address', token: string): Promise<ShownChange>;
  /**
   * Makes the new address the one of the account, and sends the earlier one a mail with a link that undoes it. A code counts
   * only for the account that it was made for.
   *
   * @throws GatehouseError `invalid_one_time_token`; `address_taken` when another account got the address meanwhile
   */
  confirm(
    proof: { token: string } | { accountId: string; code: string },
    language?: string,
  ): Promise<Account>;
  /**
   * Gives the account its earlier address again, and drops every later change. Another person may have made the change, so it
   * ends every session and token and removes the password: the owner of the mailbox chooses a new one. The second factor
   * stays.
   *
   * @returns the account and the token for the page of the new password
   * @throws GatehouseError `invalid_one_time_token`; `address_taken`
   */
  undo(token: string, language?: string): Promise<{ account: Account; recoveryToken: string }>;
}

/** The code is typed on the account page, so the flow that it belongs to is the page of this account. */
const flowOf = (accountId: string) => `address of ${accountId}`;

export function createChangeAddress(deps: ChangeAddressDeps): ChangeAddress {
  const { accounts, addressChanges, unitOfWork, oneTimeTokens, newEvent, writeMail, issuer, clock } = deps;
  const link = (step: string, token: string, language: string | undefined) =>
    `${issuer}/account/address/${step}?${new URLSearchParams({ ...(language && { ui_locales: language }), token })}`;
  const read = async ({ accountId, tokenVersion }: AddressRequest, from: Pick<AccountStore, 'findById'>) => {
    const account = await from.findById(accountId);
    if (account?.state !== 'active' || account.tokenVersion !== tokenVersion) throw ended();
    return account;
  };

  /** Writes the same for a free address and for one that another account has. */
  const writeRequest = async (stores: TransactionStores, account: Account, { to, language }: Wanted) => {
    const owner = await stores.accounts.findByEmail(to);
    const id = newId('change');
    const request = { purpose: 'change-address', account, address: to, flow: flowOf(account.id) } as const;
    const { token, code } = await oneTimeTokens.createLinkAndCode(stores, { ...request, details: { id } });
    const expiresAt = clock.now() + oneTimeTokens.lifeMs('change-address');
    await stores.addressChanges.request({ id, accountId: account.id, from: account.email, to, expiresAt });
    if (owner) await writeMail(stores, { kind: 'address-taken', account: owner, model: { at: clock.now() } });
    else
      await writeMail(stores, {
        kind: 'address-confirm',
        account: { ...account, email: to },
        language,
        model: {
          from: account.email,
          to,
          at: clock.now(),
          url: link('confirm', token, language),
          code,
          minutes: oneTimeTokens.lifeMs('change-address') / 60_000,
        },
      });
    const model = { from: account.email, to, at: clock.now() };
    await writeMail(stores, { kind: 'address-requested', account, language, model });
  };

  const complete = async (stores: TransactionStores, found: FoundToken, language: string | undefined) => {
    const account = await oneTimeTokens.spend(stores, found);
    const at = clock.now();
    const undoUntil = at + oneTimeTokens.lifeMs('undo-address');
    const change = await stores.addressChanges.complete(changeIdOf(found), at, undoUntil);
    if (!account || !change || emailKey(change.from) !== emailKey(account.email)) throw outdated();
    const changed = await stores.accounts.update(
      account.id,
      { email: change.to, emailVerified: true, isUnconfirmed: false },
      at,
    );
    if (!changed) throw outdated();
    // What was sent to the earlier address proves nothing about the account any more.
    for (const purpose of ['recover', 'verify-address'] as const)
      await oneTimeTokens.revoke(stores, { purpose, account, address: account.email });
    await stores.outbox.append(newEvent('user.email_changed', account.id, eventOf(change, 'confirmed')));
    const token = await oneTimeTokens.createLink(stores, {
      purpose: 'undo-address',
      account,
      address: change.from,
      details: { id: change.id, to: change.to },
    });
    await writeMail(stores, {
      kind: 'address-changed',
      account,
      language,
      model: { from: change.from, to: change.to, at, url: link('undo', token, language) },
    });
    return changed;
  };

  const undoChange = async (stores: TransactionStores, found: FoundToken, language: string | undefined) => {
    const account = await oneTimeTokens.spend(stores, found);
    const at = clock.now();
    const change = await stores.addressChanges.undo(changeIdOf(found), at);
    if (!account || !change) throw outdated();
    const { id } = account;
    const restored = {
      email: change.from,
      emailVerified: true,
      removePassword: true,
      raiseTokenVersion: true,
    };
    const changed = await stores.accounts.update(id, restored, at);
    if (!changed) throw outdated();
    await stores.clientSessions.end({ accountId: id }, at);
    await stores.outbox.append(
      newEvent(
        'user.email_changed',
        id,
        eventOf({ ...change, from: account.email, to: change.from }, 'undone'),
      ),
    );
    await writeMail(stores, {
      kind: 'address-restored',
      account: changed,
      language,
      model: { from: account.email, to: change.from, at },
    });
    const token = { purpose: 'recover', account: changed, address: changed.email } as const;
    return { account: changed, recoveryToken: await oneTimeTokens.createLink(stores, token) };
  };

  return {
    request: async (request) => {
      const account = await read(request, accounts);
      const to = await checkCredentials({ email: request.email }, deps.passwordRules);
      if (emailKey(to) === emailKey(account.email)) throw sameAddress();
      await checkPassword(deps, account, request);
      await deps.rateLimits.countAddressChange(account.id);
      const { language } = request;
      await unitOfWork.run(async (stores) =>
        writeRequest(stores, await read(request, stores.accounts), { to, language }),
      );
    },
    waiting: async (accountId) => (await addressChanges.waiting(accountId, clock.now()))?.to,
    find: async (purpose, token) => {
      const { accountId, address, details } = await oneTimeTokens.find(purpose, { token });
      const account = accountId === undefined ? undefined : await accounts.findById(accountId);
      if (account === undefined) throw outdated();
      if (purpose === 'change-address') return { from: account.email, to: address };
      return { from: typeof details.to === 'string' ? details.to : account.email, to: address };
    },
    confirm: async (proof, language) => {
      const found =
        'token' in proof
          ? await oneTimeTokens.find('change-address', proof)
          : await deps.rateLimits.tryMailedCode(() =>
              oneTimeTokens.find('change-address', { flow: flowOf(proof.accountId), code: proof.code }),
            );
      if (found.accountId !== undefined) noteAccount(found.accountId);
      return unitOfWork.run((stores) => complete(stores, found, language));
    },
    undo: async (token, language) => {
      const found = await oneTimeTokens.find('undo-address', { token });
      if (found.accountId !== undefined) noteAccount(found.accountId);
      return unitOfWork.run((stores) => undoChange(stores, found, language));
    },
  };
}

interface Wanted {
  to: string;
  language: string | undefined;
}

const changeIdOf = ({ details: { id } }: FoundToken): string => (typeof id === 'string' ? id : '');

const eventOf = ({ accountId: id, from, to }: AddressChange, cause: 'confirmed' | 'undone') => ({
  id,
  email: to,
  previousEmail: from,
  cause,
});

/** A wrong password counts as a failed sign-in, because a thief of a session could guess it here. */
async function checkPassword(
  { passwords, rateLimits, metrics, logger }: ChangeAddressDeps,
  account: Account,
  { current, browser, tokenVersion }: AddressRequest,
): Promise<void> {
  if (account.passwordHash === undefined) return;
  const tried = { email: account.email, browser, tokenVersion: async () => tokenVersion };
  try {
    await rateLimits.signIn(tried, async () => {
      if (!(await isCurrent(passwords, account, current))) throw refused();
    });
  } catch (error) {
    if (isFailedGuess(error)) {
      metrics.signIns.inc({ outcome: 'refused' });
      logger.info({ accountId: account.id }, 'change of the address refused');
    }
    throw error;
  }
}

function sameAddress(): GatehouseError {
  const message = 'The account has this address already.';
  return new GatehouseError('validation_failed', message, { fields: [{ pointer: '/email', message }] });
}

const outdated = () =>
  new GatehouseError('invalid_one_time_token', 'The account changed meanwhile. Ask for a new mail.');
