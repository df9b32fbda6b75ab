import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import type { NewPasskeyAnswer, PasskeyAnswer } from '../lib/passkey-answers.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { OidcStore } from '../ports/oidc-store.ts';
import type { Passkey, Passkeys, PasskeyUse, StoredPasskey } from '../ports/passkeys.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { WriteMail } from './mails.ts';
import type { SecondFactorService } from './second-factors.ts';
import {
  type CreationOptions,
  ceremonyMs,
  checkAnswer,
  checkNewAnswer,
  creationOptions,
  invalidPasskey,
  type RelyingParty,
} from './webauthn.ts';

export interface PasskeysDeps {
  relyingParty: RelyingParty;
  /** The origin of our own pages. */
  origin: string;
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  passkeys: Pick<Passkeys, 'find' | 'list' | 'userHandle'>;
  /** Remembers used challenges. */
  challenges: Pick<OidcStore, 'putIfAbsent'>;
  factors: Pick<SecondFactorService, 'addRecoveryCodes' | 'endWithoutFactor'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  /** Undefined when mail is off. */
  writeMail?: WriteMail | undefined;
  clock: Clock;
}

/** A request to make a passkey. */
export interface PasskeyOffer {
  /** For `navigator.credentials.create`. */
  options: CreationOptions;
  /** What the form sends back. */
  sealed: string;
}

/** Where a form comes from. A sealed value is valid only for this account there. */
interface Place {
  accountId: string;
  /** The id of an interaction or of a session. */
  boundTo: string;
}

/** The answer to an offer. */
export interface OfferedPasskey {
  /** The `sealed` of the offer. */
  sealed: string;
  answer: NewPasskeyAnswer;
  /** Where the passkey may have been made. Undefined: our own pages. */
  origins?: readonly string[] | undefined;
}

/** A passkey whose answer was checked, but that is not stored yet. */
export type CheckedPasskey = Omit<StoredPasskey, 'accountId' | 'name' | 'createdAt'>;

/** What the person chose. */
export interface PasskeyChoice {
  /** Any text. It is shortened; an empty one is replaced. */
  name: string;
  /** The language of the page, for the mail. */
  language?: string | undefined;
}

/** What an assertion must prove. */
export interface AskedProof {
  /** base64url. */
  challenge: string;
  /** Whether the passkey replaces the password, so the authenticator must have verified the person. */
  isFirstFactor: boolean;
  /** Undefined: our own pages. */
  origins?: readonly string[] | undefined;
}

/** A right assertion. Store it with `use`, in the transaction of the sign-in. */
export interface PasskeyProof {
  passkey: StoredPasskey;
  use: PasskeyUse;
  /** RFC 8176 §2, without the password. */
  amr: string[];
}

/**
 * The passkeys of an account. The functions with `stores` run in the transaction of the caller. The others check answers,
 * which takes time, and must run before it. No change raises the token version.
 */
export interface PasskeyService {
  relyingParty: RelyingParty;
  /** Makes a request for a new passkey. `sealed` is valid for five minutes. Throws `too_many_passkeys`. */
  offer(account: Pick<Account, 'id' | 'email'>, boundTo: string): Promise<PasskeyOffer>;
  /**
   * Checks the answer to an offer. One offer takes one right answer.
   * @throws GatehouseError `invalid_passkey`; `passkey_expired` when the offer is too old, was used, or is for another place
   */
  checkNew(place: Place, offered: OfferedPasskey): Promise<CheckedPasskey>;
  /**
   * Adds a passkey.
   * @returns the recovery codes, if it is the first second factor of the account. They can't be read again
   * @throws GatehouseError `passkey_exists`, `too_many_passkeys`
   */
  add(
    stores: TransactionStores,
    account: Account,
    checked: CheckedPasskey,
    choice: PasskeyChoice,
  ): Promise<string[] | undefined>;
  /** Undefined for an unknown credential id. */
  find(id: string): Promise<StoredPasskey | undefined>;
  /** The oldest first. */
  list(accountId: string): Promise<Passkey[]>;
  /**
   * Checks an assertion. A counter that went back is written as an event.
   * @throws GatehouseError `invalid_passkey`
   */
  prove(passkey: StoredPasskey, answer: PasskeyAnswer, asked: AskedProof): Promise<PasskeyProof>;
  /** Notes that a challenge was used. Throws `passkey_expired` if it was used before. */
  spend(challenge: string): Promise<void>;
  /** Stores the use. Throws `invalid_passkey` if the counter went back meanwhile, or the passkey was removed. */
  use(stores: Pick<TransactionStores, 'passkeys'>, proof: PasskeyProof): Promise<void>;
  /** Gives false when the account has no such passkey. */
  rename(
    stores: Pick<TransactionStores, 'passkeys'>,
    accountId: string,
    id: string,
    name: string,
  ): Promise<boolean>;
  /** With the last factor of the account, its recovery codes go too. Gives false when the account has no such passkey. */
  remove(
    stores: TransactionStores,
    account: Account,
    id: string,
    language?: string | undefined,
  ): Promise<boolean>;
}

/** So many passkeys are enough for the devices of a person, and keep the lists in requests short. */
export const mostPasskeys = 20;

const longestName = 60;
const defaultName = 'Passkey';

const offerSchema = z.strictObject({ challenge: z.string(), userHandle: z.string(), until: z.number() });

const offerContext = ({ accountId, boundTo }: Place) => `passkey offer ${accountId} ${boundTo}`;

export function createPasskeys(deps: PasskeysDeps): PasskeyService {
  const { relyingParty, keys, passkeys, factors, newEvent, clock } = deps;
  const expectedOf = (challenge: string, origins: readonly string[] = [deps.origin]) => ({
    rpId: relyingParty.id,
    origins,
    challenge,
  });
  const spend = async (challenge: string) => {
    const key = createHash('sha256').update(`passkey challenge\0${challenge}`).digest('base64url');
    const artifact = { payload: 'used', expiresAt: clock.now() + 2 * ceremonyMs };
    if (!(await deps.challenges.putIfAbsent('ReplayDetection', key, artifact))) throw passkeyExpired();
  };

  return {
    relyingParty,
    offer: async ({ id, email }, boundTo) => {
      const known = await passkeys.list(id);
      if (known.length >= mostPasskeys) throw tooMany();
      // The handle shows nothing about the account (WebAuthn §14.6.1).
      const userHandle = (await passkeys.userHandle(id)) ?? randomToken(32);
      const challenge = randomToken(32);
      const sealed = keys.seal(
        offerContext({ accountId: id, boundTo }),
        JSON.stringify({ challenge, userHandle, until: clock.now() + ceremonyMs }),
      );
      return {
        options: creationOptions(relyingParty, { handle: userHandle, email }, challenge, known),
        sealed,
      };
    },
    checkNew: async (place, { sealed, answer, origins }) => {
      const text = keys.open(offerContext(place), sealed);
      const offer = text === undefined ? undefined : offerSchema.parse(JSON.parse(text));
      if (offer === undefined || offer.until < clock.now()) throw passkeyExpired();
      const checked = await checkNewAnswer(answer, expectedOf(offer.challenge, origins));
      await spend(offer.challenge);
      return { ...checked, userHandle: offer.userHandle };
    },
    add: async (stores, account, checked, { name, language }) => {
      // This holds the row of the account: so parallel changes wait, and the bound on passkeys is exact.
      const codes = await factors.addRecoveryCodes(stores, account);
      const passkey = { ...checked, accountId: account.id, name: cleanName(name), createdAt: clock.now() };
      const outcome = await stores.passkeys.add(passkey, mostPasskeys);
      if (outcome === 'full') throw tooMany();
      if (outcome === 'exists')
        throw new GatehouseError('passkey_exists', 'This passkey is known already. Make another one.');
      await stores.outbox.append(newEvent('user.passkey_added', account.id, eventOf(account, passkey)));
      const model = { email: account.email, name: passkey.name, at: clock.now() };
      await deps.writeMail?.(stores, { kind: 'passkey-added', account, language, model });
      return codes;
    },
    find: (id) => passkeys.find(id),
    list: (accountId) => passkeys.list(accountId),
    prove: async (passkey, answer, { challenge, isFirstFactor, origins }) => {
      const expected = { ...expectedOf(challenge, origins), needsUserVerification: isFirstFactor };
      const { counter, isBackedUp } = await checkAnswer(answer, passkey, expected);
      if (counter <= passkey.counter && (counter !== 0 || passkey.counter !== 0)) {
        // The authenticator may have been copied (WebAuthn §7.2, step on the signature counter).
        await deps.unitOfWork.run(async ({ accounts, outbox }) => {
          const account = await accounts.findById(passkey.accountId);
          const data = account && { ...eventOf(account, passkey), reason: 'counter' };
          if (data) await outbox.append(newEvent('user.passkey_refused', data.id, data));
        });
        throw invalidPasskey(new Error(`the counter went back from ${passkey.counter} to ${counter}`));
      }
      return { passkey, use: { counter, isBackedUp, at: clock.now() }, amr: amrOf(passkey) };
    },
    spend,
    use: async ({ passkeys: store }, { passkey, use }) => {
      if (!(await store.use(passkey.id, use)))
        throw invalidPasskey(new Error('the counter went back, or the passkey was removed'));
    },
    rename: ({ passkeys: store }, accountId, id, name) => store.rename(accountId, id, cleanName(name)),
    remove: async (stores, account, id, language) => {
      // Before the passkeys are counted, so that the last app is not removed at the same time.
      await stores.secondFactors.touch(account.id);
      const removed = await stores.passkeys.remove(account.id, id);
      if (removed === undefined) return false;
      await factors.endWithoutFactor(stores, account);
      await stores.outbox.append(newEvent('user.passkey_removed', account.id, eventOf(account, removed)));
      const model = { email: account.email, name: removed.name, at: clock.now() };
      await deps.writeMail?.(stores, { kind: 'passkey-removed', account, language, model });
      return true;
    },
  };
}

const eventOf = ({ id, email }: Account, passkey: Pick<Passkey, 'id' | 'name'>) => ({
  id,
  email,
  passkeyId: passkey.id,
  name: passkey.name,
});

/**
 * A passkey that can be on several devices has its key in software; the key of any other is in one device (RFC 8176 §2).
 * Without attestation, both are what the authenticator says. `user`: the person was there.
 */
export const amrOf = ({ isShareable }: Pick<Passkey, 'isShareable'>): string[] => [
  isShareable ? 'swk' : 'hwk',
  'user',
];

/** Without control characters, and short enough for a list. */
function cleanName(name: string): string {
  const text = name.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ').trim();
  return [...text].slice(0, longestName).join('').trim() || defaultName;
}

export const passkeyExpired = () =>
  new GatehouseError('passkey_expired', 'This step has expired or is done. Try again.');

const tooMany = () =>
  new GatehouseError(
    'too_many_passkeys',
    `An account has at most ${mostPasskeys} passkeys. Remove one first.`,
  );
