import { z } from 'zod';
import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { type Account, type AccountStore, emailKey } from '../ports/account-store.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import { linkOf, type WriteMail, writePasswordChanged } from './mails.ts';
import { insertAccount } from './new-account.ts';
import { type FoundToken, invalid, type OneTimeTokens } from './one-time-tokens.ts';
import { type PasswordRules, requireAllowedPassword } from './password-rules.ts';
import type { Passwords } from './passwords.ts';
import type { AskedSignIn } from './second-factor-gate.ts';
import {
  completeSignIn,
  reportSignIn,
  type SignedIn,
  type SignInOptions,
  type UnconfirmedGate,
} from './sign-in.ts';
import { removeForeignAccess } from './take-over.ts';

export interface ConfirmAddressDeps
  extends Pick<SignInOptions, 'secondFactor' | 'policy' | 'metrics' | 'logger'> {
  /** How many days an account may sign in before its address is proved. Undefined if no proof is needed. */
  graceDays: number | undefined;
  accounts: Pick<AccountStore, 'findById' | 'findByEmail'>;
  unitOfWork: UnitOfWork;
  tokens: OneTimeTokens;
  passwords: Pick<Passwords, 'hash' | 'verify'>;
  passwordRules: Pick<PasswordRules, 'problems'>;
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  writeMail: WriteMail | undefined;
  /** Every link begins with it. */
  issuer: string;
  newEvent: NewEvent;
  clock: Clock;
}

/** The place where a person signs up: a client, and on pages the id of an interaction. */
export type SignUpPlace = Partial<Pick<AskedSignIn, 'clientId' | 'boundTo'>> & {
  /** The language of the page, for the mail. */
  language?: string | undefined;
};

/** What the browser or the app that signed up keeps, encrypted. It proves the typed password. */
export type WithConfirmation = SignUpPlace & { confirmation: string };

export interface ConfirmAddress {
  /** The check of a sign-in after the right password. */
  refuseUnconfirmed: UnconfirmedGate;
  /**
   * Stores the account of a new address and sends a link and a code to it. For a known address it sends a mail that says so;
   * for one that is not confirmed yet, a new link. The result looks the same in all cases.
   */
  signUp(account: Account, place: SignUpPlace): Promise<{ isNew: boolean; confirmation: string }>;
  /** Gives the address of a confirmation. Throws `interaction_expired` when it is too old or of another place. */
  addressOf(input: WithConfirmation): string;
  /** Sends a new mail. The earlier link and code are invalid then. Gives the confirmation for the new code. */
  sendAgain(input: WithConfirmation): Promise<string>;
  /** Confirms the address with the code, where the person signed up. Throws `invalid_one_time_token`. */
  byCode(input: WithConfirmation & { code: string }): Promise<void>;
  /** Confirms the address where the person signed up, and signs in. Throws as `createSignIn`, and `invalid_one_time_token`. */
  andSignIn(
    input: WithConfirmation & Pick<AskedSignIn, 'clientId'> & ProofInSignIn & { needsSecondFactor?: boolean },
  ): Promise<SignedIn>;
  /** Finds the link of a mail without spending it. Throws `invalid_one_time_token`. */
  findLink(token: string): Promise<{ email: string }>;
  /**
   * Confirms the address with the link. In the browser that signed up, the confirmation shows the password. Elsewhere the
   * person types it, and what is typed is the password of the account from now on. So only the owner of the address decides
   * it, also if another person signed up. Throws `invalid_one_time_token`, or `validation_failed` with `/password`.
   */
  byLink(input: { token: string } & (WithConfirmation | { password: string })): Promise<Account>;
}

type ProofInSignIn = { code: string } | { token: string };

const confirmationSchema = z.strictObject({
  email: z.string(),
  /** The short code of the mail is accepted only together with it. */
  flow: z.string(),
  /** The hash of the password that was typed at the sign-up. */
  passwordHash: z.string().optional(),
  /** After a sign-in: the token version of the account whose password was right. */
  tokenVersion: z.number().optional(),
  until: z.number(),
});

type Confirmation = z.infer<typeof confirmationSchema>;

/** How the password of the person is known: its hash, or the token version of the account whose password was right. */
type KnownPassword = Pick<Confirmation, 'passwordHash' | 'tokenVersion'>;

const contextOf = ({ clientId = '', boundTo = '' }: SignUpPlace) =>
  `address confirmation ${clientId} ${boundTo}`;

const dayMs = 86_400_000;
const purpose = 'verify-address';

/**
 * The proof that the address of a new account belongs to the person.
 *
 * Anybody can sign up with the address of another person. So the proof has two parts: the mail, and the password of the
 * person who has the mail. If it is not the stored password, it replaces that, and everything that came with the stored
 * password ends.
 */
export function createConfirmAddress(deps: ConfirmAddressDeps): ConfirmAddress {
  const { graceDays, accounts, unitOfWork, tokens, keys, writeMail, newEvent, clock } = deps;

  const seal = (place: SignUpPlace, confirmation: Omit<Confirmation, 'until'>): string => {
    const until = clock.now() + tokens.lifeMs(purpose);
    return keys.seal(contextOf(place), JSON.stringify({ ...confirmation, until }));
  };
  const open = (input: WithConfirmation): Confirmation => {
    const text = keys.open(contextOf(input), input.confirmation);
    const confirmation = text === undefined ? undefined : confirmationSchema.parse(JSON.parse(text));
    if (!confirmation || confirmation.until < clock.now()) throw expired();
    return confirmation;
  };
  const isOf = ({ email }: Confirmation, { address }: FoundToken) => emailKey(email) === emailKey(address);

  const sendTo = async (
    stores: TransactionStores,
    account: Account,
    { flow, language }: { flow: string; language?: string | undefined },
  ): Promise<void> => {
    const { email } = account;
    if (!account.isUnconfirmed || account.state !== 'active') {
      await writeMail?.(stores, {
        kind: 'account-exists',
        account,
        language,
        model: { email, at: clock.now() },
      });
      return;
    }
    const request = { purpose, account, address: email, flow } as const;
    const { token, code } = await tokens.createLinkAndCode(stores, request);
    await writeMail?.(stores, {
      kind: 'confirm-address',
      account,
      language,
      model: {
        email,
        code,
        at: clock.now(),
        url: linkOf(deps.issuer, '/sign-up/confirm', { token, language }),
      },
    });
  };

  /** Spends the token and confirms the account. */
  const confirm = async (stores: TransactionStores, found: FoundToken, known: KnownPassword) => {
    const account = await tokens.spend(stores, found);
    const isAddressOf = account?.isUnconfirmed && emailKey(account.email) === emailKey(found.address);
    if (!account || !isAddressOf) throw invalid();
    const { id, email } = account;
    const isPassword =
      known.tokenVersion === account.tokenVersion ||
      (known.passwordHash !== undefined && known.passwordHash === account.passwordHash);
    if (!isPassword && known.passwordHash === undefined) throw invalid();
    const done = { emailVerified: true, isUnconfirmed: false };
    if (isPassword) {
      const confirmed = await stores.accounts.update(id, done, clock.now());
      await stores.outbox.append(newEvent('user.email_verified', id, { id, email }));
      return confirmed ?? account;
    }
    await removeForeignAccess(stores, account, { newEvent, clock });
    const change = { ...done, passwordHash: known.passwordHash ?? '', raiseTokenVersion: true };
    const confirmed = (await stores.accounts.update(id, change, clock.now())) ?? account;
    await stores.clientSessions.end({ accountId: id }, clock.now());
    await stores.outbox.append(newEvent('user.password_changed', id, { id, email }));
    await stores.outbox.append(newEvent('user.email_verified', id, { id, email }));
    await writePasswordChanged(writeMail, stores, { account: confirmed, at: clock.now() });
    return confirmed;
  };

  /** The password that was typed on the page of the link. It must follow the rules unless it is the stored one. */
  const typed = async ({ accountId = '', address }: FoundToken, password: string): Promise<KnownPassword> => {
    const account = await accounts.findById(accountId);
    if (account === undefined) throw invalid();
    const { passwordHash } = account;
    if (passwordHash !== undefined && (await deps.passwords.verify(password, passwordHash)).matches)
      return { passwordHash };
    await requireAllowedPassword(deps.passwordRules, { password, email: address, pointer: '/password' });
    return { passwordHash: await deps.passwords.hash(password) };
  };

  return {
    refuseUnconfirmed: (account, asked) => {
      const { email, createdAt, tokenVersion } = account;
      const isFree = graceDays === undefined || !account.isUnconfirmed || account.emailVerified;
      if (isFree || clock.now() < createdAt + graceDays * dayMs) return undefined;
      // Only pages can send the mail again from there.
      const isOnPage = asked.boundTo !== undefined;
      return notVerified(isOnPage ? seal(asked, { email, flow: tokens.newFlow(), tokenVersion }) : undefined);
    },
    signUp: async (account, place) => {
      const { email, passwordHash } = account;
      const flow = tokens.newFlow();
      const isNew = await unitOfWork.run(async (stores) => {
        const isInserted = await insertAccount(stores, { ...account, isUnconfirmed: true }, newEvent);
        const known = await stores.accounts.findByEmail(email);
        if (known) await sendTo(stores, known, { flow, language: place.language });
        return isInserted;
      });
      return { isNew, confirmation: seal(place, { email, flow, passwordHash }) };
    },
    addressOf: (input) => open(input).email,
    sendAgain: async (input) => {
      const { until: _, ...confirmation } = open(input);
      const { email, flow } = confirmation;
      await unitOfWork.run(async (stores) => {
        const known = await stores.accounts.findByEmail(email);
        if (known) await sendTo(stores, known, { flow, language: input.language });
      });
      return seal(input, confirmation);
    },
    byCode: async (input) => {
      const confirmation = open(input);
      const found = await tokens.find(purpose, { flow: confirmation.flow, code: input.code });
      await unitOfWork.run((stores) => confirm(stores, found, confirmation));
    },
    andSignIn: async (input) => {
      const confirmation = open(input);
      const { flow } = confirmation;
      try {
        const proof = 'token' in input ? { token: input.token } : { flow, code: input.code };
        const found = await tokens.find(purpose, proof);
        if (!isOf(confirmation, found)) throw invalid();
        const outcome = await unitOfWork.run(async (stores) =>
          completeSignIn(stores, deps, await confirm(stores, found, confirmation), input),
        );
        // Given and not thrown until here: the address is confirmed also if the second factor is missing.
        if (outcome instanceof GatehouseError) throw outcome;
        deps.metrics.signIns.inc({ outcome: 'succeeded' });
        noteAccount(outcome.id);
        return outcome;
      } catch (error) {
        reportSignIn(error, input.clientId, undefined, deps);
        throw error;
      }
    },
    findLink: async (token) => ({ email: (await tokens.find(purpose, { token })).address }),
    byLink: async (input) => {
      const found = await tokens.find(purpose, { token: input.token });
      if ('password' in input) {
        const known = await typed(found, input.password);
        return unitOfWork.run((stores) => confirm(stores, found, known));
      }
      const confirmation = open(input);
      if (!isOf(confirmation, found)) throw invalid();
      return unitOfWork.run((stores) => confirm(stores, found, confirmation));
    },
  };
}

const notVerified = (confirmation?: string) =>
  new GatehouseError(
    'email_not_verified',
    'The email address of this account is not confirmed yet. Open the link in the mail, or sign up again to get a new mail.',
    confirmation === undefined ? {} : { members: { confirmation } },
  );

const expired = () =>
  new GatehouseError('interaction_expired', 'This step has expired. Sign in, or sign up again.');
