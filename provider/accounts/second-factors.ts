import { createHmac, randomBytes } from 'node:crypto';
import type { TOTP } from 'otpauth';
import { z } from 'zod';
import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { newId, randomToken } from '../lib/ids.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { WriteMail } from './mails.ts';
import { appEvent, type Cause, endWithoutFactor, type FactorStores, removeApp } from './remove-factors.ts';

export interface SecondFactorsDeps {
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  newEvent: NewEvent;
  clock: Clock;
  /** Undefined when mail is off. */
  writeMail?: WriteMail | undefined;
  /** The name that the authenticator app shows beside the account. */
  appName: string;
}

/** A new secret that the person has not confirmed yet. It is stored nowhere: the form carries it, encrypted. */
export interface Enrolment {
  /** In base32, for a person who types it. */
  secret: string;
  /** The same as a `otpauth:` URI, for a QR code. */
  uri: string;
  /** What the form sends back. */
  sealed: string;
}

/** Where a form comes from. A sealed value is valid only for this account there. */
interface Place {
  accountId: string;
  /** The id of an interaction or of a session. */
  boundTo: string;
}

type UseStores = Pick<TransactionStores, 'secondFactors' | 'outbox' | 'mails'>;

/**
 * The second factor of an account: an authenticator app (TOTP, RFC 6238) and recovery codes. The functions with `stores`
 * run in the transaction of the caller. No change raises the token version. Each change writes an event and a mail to the
 * person; the use of a recovery code does too.
 */
export interface SecondFactorService {
  /** Makes a new secret. `sealed` is valid for ten minutes. */
  offer(account: Pick<Account, 'id' | 'email'>, boundTo: string): Promise<Enrolment>;
  /** Shows an offer again, after a wrong code. Throws `second_factor_expired`. */
  reopen(account: Pick<Account, 'id' | 'email'>, place: Place, sealed: string): Promise<Enrolment>;
  /**
   * Adds the app whose code confirms the offer, and gives the recovery codes. They can't be read again. Throws
   * `invalid_second_factor`, `second_factor_expired` or `second_factor_exists`.
   */
  add(
    stores: FactorStores,
    account: Account,
    offered: { sealed: string; place: Place; code: string } & Cause,
  ): Promise<string[]>;
  /**
   * Uses a code of the app or a recovery code.
   * @param by.uses the state that the sign-in began with; the current one when left out
   * @throws GatehouseError `invalid_second_factor`; `second_factor_expired` when the factor was used or replaced meanwhile
   */
  use(
    stores: UseStores,
    account: Account,
    code: string,
    by?: { uses?: number | undefined } & Cause,
  ): Promise<void>;
  /** Replaces the recovery codes and gives the new ones. Throws `second_factor_missing`. */
  replaceRecoveryCodes(stores: UseStores, account: Account, cause?: Cause): Promise<string[]>;
  /** Removes the app, and the recovery codes if the account has no passkey. Gives false when there was no app. */
  remove(stores: FactorStores, account: Account, cause?: Cause): Promise<boolean>;
  /**
   * Holds the factors of the account until the end of the transaction.
   * @returns new recovery codes, if the account had no factor; else undefined, and the state of its factors changes
   */
  addRecoveryCodes(stores: FactorStores, account: Account): Promise<string[] | undefined>;
  /**
   * Counts the use of a passkey, so that every challenge that the account got before ends.
   * @param uses the state that the sign-in began with; the current one when left out
   * @throws GatehouseError `second_factor_expired` when a factor was used or replaced meanwhile
   */
  notePasskey(
    stores: Pick<TransactionStores, 'secondFactors'>,
    account: Account,
    uses?: number,
  ): Promise<void>;
  /** Removes the recovery codes if the account has neither an app nor a passkey any more. */
  endWithoutFactor(stores: FactorStores, account: Account): Promise<void>;
}

/** RFC 6238 §5.2 recommends 30 seconds. */
const stepMs = 30_000;

const offerMs = 600_000;

/** OWASP ASVS 5 V6.5 and NIST SP 800-63B-4 §3.1.2 ask for 64 bits at least. These have 80. */
const recoveryCodeCount = 10;
const recoveryCodeBytes = 10;

const offerSchema = z.strictObject({ secret: z.string(), until: z.number() });

/** The context under which the secret of an app is sealed. */
export const totpSecretContext = (accountId: string) => `totp secret ${accountId}`;
const offerContext = ({ accountId, boundTo }: Place) => `totp offer ${accountId} ${boundTo}`;

export function createSecondFactors(deps: SecondFactorsDeps): SecondFactorService {
  const { keys, newEvent, clock, appName, writeMail } = deps;

  /** The library is loaded at the first use, because most sign-ins do not need it. */
  const totpOf = async (secret: string, label = 'account'): Promise<TOTP> => {
    const { Secret, TOTP: Totp } = await import('otpauth');
    return new Totp({ issuer: appName, label, secret: Secret.fromBase32(secret), period: stepMs / 1000 });
  };
  /** The step of this code, which may be one step early or late; undefined for a wrong code. */
  const stepOf = async (secret: string, code: string): Promise<number | undefined> => {
    const now = clock.now();
    const delta = (await totpOf(secret)).validate({ token: code, timestamp: now, window: 1 });
    return delta === null ? undefined : Math.floor(now / stepMs) + delta;
  };
  const enrolment = async (secret: string, email: string, sealed: string): Promise<Enrolment> => ({
    secret,
    uri: (await totpOf(secret, email)).toString(),
    sealed,
  });
  const openOffer = (place: Place, sealed: string): string => {
    const text = keys.open(offerContext(place), sealed);
    const offer = text === undefined ? undefined : offerSchema.parse(JSON.parse(text));
    if (offer === undefined || offer.until < clock.now()) throw expired();
    return offer.secret;
  };
  /** If the server secret that sealed it was removed, only an operator can help (docs/second-factors.md). */
  const openSecret = (accountId: string, sealedSecret: string): string => {
    const secret = keys.open(totpSecretContext(accountId), sealedSecret);
    if (secret === undefined)
      throw new Error(
        `The second factor of ${accountId} can't be read: the server secret that sealed it was removed. Use it again, or reset the factors of the account.`,
      );
    return secret;
  };
  const setRecoveryCodes = async (
    { secondFactors }: Pick<TransactionStores, 'secondFactors'>,
    accountId: string,
    factorId: string,
    secret: string,
  ): Promise<string[]> => {
    const codes = Array.from({ length: recoveryCodeCount }, newRecoveryCode);
    const hashes = codes.map((code) => hashOf(secret, code));
    if (!(await secondFactors.replaceRecoveryCodes(accountId, factorId, hashes))) throw missing();
    return codes;
  };

  return {
    offer: async ({ id, email }, boundTo) => {
      const { Secret } = await import('otpauth');
      const secret = new Secret({ size: 20 }).base32;
      const offer = { secret, until: clock.now() + offerMs };
      return enrolment(
        secret,
        email,
        keys.seal(offerContext({ accountId: id, boundTo }), JSON.stringify(offer)),
      );
    },
    reopen: async ({ email }, place, sealed) => enrolment(openOffer(place, sealed), email, sealed),
    add: async (stores, account, { sealed, place, code, language }) => {
      const secret = openOffer(place, sealed);
      const step = await stepOf(secret, withoutBlanks(code));
      if (step === undefined) throw wrong();
      const factor = {
        id: newId('totp'),
        sealedSecret: keys.seal(totpSecretContext(account.id), secret),
        // The code that confirms the app can't be used again for a sign-in.
        lastStep: step,
        uses: 0,
        addedAt: clock.now(),
        hasApp: true,
      };
      if (!(await stores.secondFactors.add(account.id, factor))) throw exists();
      await stores.accounts.update(account.id, { hasSecondFactor: true }, clock.now());
      await stores.outbox.append(newEvent('user.second_factor_added', account.id, appEvent(account)));
      const model = { email: account.email, at: clock.now() };
      await writeMail?.(stores, { kind: 'second-factor-added', account, language, model });
      return setRecoveryCodes(stores, account.id, factor.id, secret);
    },
    use: async (stores, account, typed, { uses, language } = {}) => {
      const { secondFactors, outbox } = stores;
      const factor = await secondFactors.find(account.id);
      if (factor === undefined) throw missing();
      if (uses !== undefined && factor.uses !== uses) throw expired();
      const secret = openSecret(account.id, factor.sealedSecret);
      const code = withoutBlanks(typed);
      if (isAppCode(typed)) {
        const step = factor.hasApp ? await stepOf(secret, code) : undefined;
        // Sealed again, so that an older server secret can be removed after a while.
        const sealed = keys.seal(totpSecretContext(account.id), secret);
        if (step === undefined || !(await secondFactors.useStep(account.id, factor, step, sealed)))
          throw wrong();
        return;
      }
      if (!(await secondFactors.useRecoveryCode(account.id, factor, hashOf(secret, code)))) throw wrong();
      const { id, email } = account;
      const left = factor.recoveryCodes - 1;
      await outbox.append(newEvent('user.recovery_code_used', id, { id, email, left }));
      const model = { email, at: clock.now(), left };
      await writeMail?.(stores, { kind: 'recovery-code-used', account, language, model });
    },
    replaceRecoveryCodes: async (stores, account, { language } = {}) => {
      const factor = await stores.secondFactors.find(account.id);
      if (factor === undefined) throw missing();
      const secret = openSecret(account.id, factor.sealedSecret);
      const codes = await setRecoveryCodes(stores, account.id, factor.id, secret);
      const { id, email } = account;
      await stores.outbox.append(newEvent('user.recovery_codes_replaced', id, { id, email }));
      const model = { email, at: clock.now() };
      await writeMail?.(stores, { kind: 'recovery-codes-replaced', account, language, model });
      return codes;
    },
    remove: (stores, account, cause) => removeApp(stores, account, deps, cause),
    addRecoveryCodes: async (stores, account) => {
      if ((await stores.secondFactors.touch(account.id)) !== undefined) return undefined;
      const secret = randomToken(32);
      const sealedSecret = keys.seal(totpSecretContext(account.id), secret);
      const now = clock.now();
      const row = { id: newId('codes'), sealedSecret, lastStep: 0, uses: 0, addedAt: now, hasApp: false };
      // A parallel change was first. It has made the recovery codes.
      if (!(await stores.secondFactors.add(account.id, row))) return undefined;
      await stores.accounts.update(account.id, { hasSecondFactor: true }, now);
      return setRecoveryCodes(stores, account.id, row.id, secret);
    },
    notePasskey: async ({ secondFactors }, { id }, uses) => {
      const factor = await secondFactors.find(id);
      // Sealed again, as for a code. Without the old server secret, only the recovery codes are lost.
      const secret = factor && keys.open(totpSecretContext(id), factor.sealedSecret);
      const sealed = secret === undefined ? undefined : keys.seal(totpSecretContext(id), secret);
      const touched = await secondFactors.touch(id, sealed);
      if (uses !== undefined && touched?.uses !== uses + 1) throw expired();
    },
    endWithoutFactor: (stores, account) => endWithoutFactor(stores, account, deps),
  };
}

/** Whether this is a code of an app, and not a recovery code. */
export const isAppCode = (code: string): boolean => /^\d{6}$/.test(withoutBlanks(code));

/** People copy codes with blanks and hyphens, and type capital letters. */
const withoutBlanks = (code: string) => code.replace(/[\s-]/g, '').toLowerCase();

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** 80 random bits as four groups of four characters (RFC 4648 §6, in lower case). */
function newRecoveryCode(): string {
  const bits = [...randomBytes(recoveryCodeBytes)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = [...bits.matchAll(/.{5}/g)].map(([five]) => alphabet[Number.parseInt(five, 2)]).join('');
  return letters.replace(/.{4}(?!$)/g, '$&-');
}

/**
 * The key is the secret of the app, which the store has only encrypted. So a copy of the database alone allows no guess,
 * and the hashes stay valid when a server secret is replaced.
 */
const hashOf = (secret: string, code: string) =>
  createHmac('sha256', secret)
    .update(`recovery code\0${withoutBlanks(code)}`)
    .digest('base64url');

const wrong = () =>
  new GatehouseError(
    'invalid_second_factor',
    'The code is wrong, or it was used already. Wait for the next one.',
  );

const expired = () =>
  new GatehouseError(
    'second_factor_expired',
    'This step has expired or is done. Start again with the password.',
  );

const exists = () =>
  new GatehouseError('second_factor_exists', 'The account has a second factor already. Remove it first.');

const missing = () => new GatehouseError('second_factor_missing', 'The account has no second factor.');
