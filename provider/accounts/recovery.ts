import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { noteAccount, requestOrigin } from '../lib/request-scope.ts';
import { type Account, type AccountStore, emailKey } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import { type WriteMail, writePasswordChanged } from './mails.ts';
import { checkCredentials } from './new-account.ts';
import type { FoundToken, OneTimeTokens, TokenProof } from './one-time-tokens.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import { removeForeignAccess } from './take-over.ts';

/** The sign-in on whose page the person asked. The link leads back to it in the same browser. */
export interface InterruptedSignIn {
  uid: string;
  clientId: string;
}

export interface RecoveryRequest {
  email: string;
  /** The language of the page, for the mail. */
  language?: string | undefined;
  signIn?: InterruptedSignIn | undefined;
}

export interface RecoveredAccount {
  account: Account;
  signIn: InterruptedSignIn | undefined;
}

export interface RecoveryOptions {
  accounts: Pick<AccountStore, 'findByEmail'>;
  unitOfWork: UnitOfWork;
  oneTimeTokens: OneTimeTokens;
  passwords: Pick<Passwords, 'hash'>;
  passwordRules: Pick<PasswordRules, 'problems'>;
  rateLimits: Pick<RateLimits, 'askForMail' | 'tryMailedCode' | 'passwordReplaced'>;
  newEvent: NewEvent;
  writeMail: WriteMail;
  /** The start of the link. */
  issuer: string;
  clock: Clock;
  logger: Pick<Logger, 'info'>;
}

export interface Recovery {
  /**
   * Sends a mail with a link and a code to the account of this address. The result, the work and the time are the same for
   * an address without an account, for a disabled account, and for an address that got too many mails.
   *
   * @returns the flow, for the page or the app that asked: the code of the mail counts only together with it
   * @throws GatehouseError `validation_failed` for a text that is no address; `too_many_requests`; `overloaded`
   */
  request(request: RecoveryRequest): Promise<{ flow: string }>;
  /**
   * Finds the account of a link or a code, and spends nothing. Throws `invalid_one_time_token`. A wrong code counts, and
   * is answered as late as for an address without an account.
   */
  find(proof: TokenProof): Promise<{ email: string }>;
  /**
   * Sets a new password and ends every session and every token of the account. The person has read a mail, so the address
   * is verified. The second factor stays, unless the address was never proved before: then another person may have added it.
   *
   * @throws GatehouseError `validation_failed` for `/newPassword`; `invalid_one_time_token`; `overloaded`
   */
  setPassword(input: {
    proof: TokenProof;
    newPassword: string;
    language?: string | undefined;
  }): Promise<RecoveredAccount>;
}

/** Recovery of an account by a mail to its address (OWASP Forgot Password Cheat Sheet; NIST SP 800-63B-4 §4.2). */
export function createRecovery(options: RecoveryOptions): Recovery {
  const { oneTimeTokens, rateLimits, passwords, logger } = options;
  const find = (proof: TokenProof): Promise<FoundToken> =>
    'token' in proof
      ? oneTimeTokens.find('recover', proof)
      : rateLimits.tryMailedCode(() => oneTimeTokens.find('recover', proof));

  return {
    request: async ({ email, ...request }) => {
      const address = await checkCredentials({ email }, options.passwordRules);
      const flow = oneTimeTokens.newFlow();
      await rateLimits.askForMail('recover', address, (isAllowed) =>
        writeRecoveryMail(options, { ...request, email: address, flow, isAllowed }),
      );
      return { flow };
    },
    find: async (proof) => ({ email: (await find(proof)).address }),
    setPassword: async ({ proof, newPassword, language }) => {
      const found = await find(proof);
      if (found.accountId !== undefined) noteAccount(found.accountId);
      const problems = await options.passwordRules.problems(newPassword, found.address);
      if (problems.length > 0) throw refused(problems);
      const passwordHash = await passwords.hash(newPassword);
      const account = await options.unitOfWork.run((stores) =>
        replacePassword(options, stores, { found, passwordHash, language }),
      );
      // Only the second factor ends the count of its own guesses.
      if (!account.hasSecondFactor) await rateLimits.passwordReplaced(account);
      logger.info({ accountId: account.id, ...requestOrigin() }, 'account recovered');
      return { account, signIn: signInOf(found.details) };
    },
  };
}

/** Rolls back what was written for an address that gets no mail. */
class NoMail extends Error {}

/**
 * Writes token and mail. For an address that gets no mail it writes the same and rolls it back: so the work is the same, and
 * a store that fails shows nothing.
 */
async function writeRecoveryMail(
  options: RecoveryOptions,
  request: RecoveryRequest & { flow: string; isAllowed: boolean },
): Promise<void> {
  const { accounts, unitOfWork, oneTimeTokens, writeMail, issuer, clock, logger } = options;
  const { email, flow, language, signIn, isAllowed } = request;
  const account = await accounts.findByEmail(email);
  const isKnown = account?.state === 'active';
  const recipient = isKnown ? account : undefined;
  // The mail goes to the stored address.
  const address = recipient?.email ?? email;
  const details = { ...signIn };
  const write = async (stores: TransactionStores) => {
    const { token, code } = await oneTimeTokens.createLinkAndCode(stores, {
      purpose: 'recover',
      account: recipient,
      address,
      details,
      flow,
    });
    const query = new URLSearchParams({ ...(language && { ui_locales: language }), token });
    const model = {
      email: address,
      url: `${issuer}/recover/password?${query}`,
      code,
      minutes: oneTimeTokens.lifeMs('recover') / 60_000,
      at: clock.now(),
    };
    await writeMail(stores, { kind: 'recover', account: recipient ?? { email }, language, model });
    if (!isKnown || !isAllowed) throw new NoMail();
  };
  await unitOfWork.run(write).catch((error: unknown) => {
    if (!(error instanceof NoMail)) throw error;
  });
  const origin = requestOrigin();
  if (recipient && isAllowed) logger.info({ accountId: recipient.id, ...origin }, 'recovery mail written');
  else logger.info({ accountId: recipient?.id, ...origin }, 'recovery asked, no mail written');
}

/** If another change raised the token version while the password was hashed, this change is rolled back. */
async function replacePassword(
  { oneTimeTokens, newEvent, writeMail, clock }: RecoveryOptions,
  stores: TransactionStores,
  change: { found: FoundToken; passwordHash: string; language: string | undefined },
): Promise<Account> {
  const { found, passwordHash, language } = change;
  const before = await oneTimeTokens.spend(stores, found);
  // The person may have got another address since the mail was sent. Then the old mailbox proves nothing any more.
  if (before === undefined || emailKey(before.email) !== emailKey(found.address)) throw outdated();
  const at = clock.now();
  await removeForeignAccess(stores, before, { newEvent, clock });
  const changes = { passwordHash, emailVerified: true, isUnconfirmed: false, raiseTokenVersion: true };
  const account = await stores.accounts.update(before.id, changes, at);
  if (account?.state !== 'active' || account.tokenVersion !== before.tokenVersion + 1) throw outdated();
  const { id, email } = account;
  await stores.clientSessions.end({ accountId: id }, at);
  await stores.outbox.append(newEvent('user.password_changed', id, { id, email }));
  await stores.outbox.append(newEvent('user.recovered', id, { id, email }));
  await writePasswordChanged(writeMail, stores, { account, at, language });
  return account;
}

function signInOf({ uid, clientId }: Record<string, unknown>): InterruptedSignIn | undefined {
  return typeof uid === 'string' && typeof clientId === 'string' ? { uid, clientId } : undefined;
}

function refused(problems: readonly string[]): GatehouseError {
  const fields = problems.map((message) => ({ pointer: '/newPassword', message }));
  return new GatehouseError('validation_failed', problems.join(' '), { fields });
}

const outdated = () =>
  new GatehouseError('invalid_one_time_token', 'The account changed meanwhile. Ask for a new mail.');
