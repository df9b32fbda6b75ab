import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { type Account, emailKey } from '../ports/account-store.ts';
import type { OneTimeToken, OneTimeTokens as OneTimeTokenStore } from '../ports/one-time-tokens.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';

interface PurposeRules {
  /** How long a token is valid, in milliseconds. */
  lifeMs: number;
  /** What has one valid token at most: the account, or each address of the account. */
  newestOf: 'account' | 'address';
  /** Whether a token ends when the token version of the account changes, for example by a new password. */
  endsWithTokenVersion: boolean;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** What a mail can let a person do. */
const purposes = {
  'verify-address': { lifeMs: 30 * minute, newestOf: 'account', endsWithTokenVersion: true },
  recover: { lifeMs: 30 * minute, newestOf: 'account', endsWithTokenVersion: true },
  'change-address': { lifeMs: 30 * minute, newestOf: 'account', endsWithTokenVersion: true },
  // A thief who changes the address twice, or the password, must not take the undo of the first change from the person.
  'undo-address': { lifeMs: 72 * hour, newestOf: 'address', endsWithTokenVersion: false },
  invite: { lifeMs: 7 * day, newestOf: 'account', endsWithTokenVersion: true },
  'reset-factors': { lifeMs: 7 * day, newestOf: 'account', endsWithTokenVersion: true },
} satisfies Record<string, PurposeRules>;

export type TokenPurpose = keyof typeof purposes;

export interface TokenRequest {
  purpose: TokenPurpose;
  /** Undefined for an address without an account. */
  account?: Pick<Account, 'id' | 'tokenVersion'> | undefined;
  /** The address that the mail goes to. A token that is spent proves it. */
  address: string;
  /** What the page behind the link needs, at most 2,000 characters as JSON. It is stored encrypted. */
  details?: Record<string, unknown> | undefined;
}

/** What a person shows: the token of the link, or the code together with the flow that asked for the mail. */
export type TokenProof = { token: string } | { flow: string; code: string };

/** A token that was found and is not spent yet. */
export interface FoundToken {
  purpose: TokenPurpose;
  /** Undefined for an address without an account. */
  accountId: string | undefined;
  /** The address that the mail went to. */
  address: string;
  details: Record<string, unknown>;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  /** For `spend`. */
  stored: Pick<OneTimeToken, 'hash' | 'tokenVersion'>;
}

type SpendStores = Pick<TransactionStores, 'oneTimeTokens' | 'accounts'>;

/** Tokens that a mail carries and that can be used once, in a link or as a short code for another device. */
export interface OneTimeTokens {
  /** How long a token of this purpose is valid, in milliseconds. */
  lifeMs(purpose: TokenPurpose): number;
  /**
   * A value for the page or the response that asks for a mail. Make a new one for each request, whether an account exists or
   * not. The short code is accepted only together with it.
   */
  newFlow(): string;
  /**
   * Stores a token and ends the earlier one of the same account and purpose. Call it in the transaction that writes the
   * mail.
   * @returns the token for the link: 256 bits, base64url
   */
  createLink(stores: Pick<TransactionStores, 'oneTimeTokens'>, request: TokenRequest): Promise<string>;
  /** As `createLink`, and a short code that is accepted together with the flow: eight letters in two groups. */
  createLinkAndCode(
    stores: Pick<TransactionStores, 'oneTimeTokens'>,
    request: TokenRequest & { flow: string },
  ): Promise<{ token: string; code: string }>;
  /**
   * Finds a token without spending it, for a page with a button and before `spend`. A wrong code is counted, so never call
   * this in a transaction. Throws `invalid_one_time_token` when it is wrong, used, expired, replaced, or for another purpose.
   */
  find(purpose: TokenPurpose, proof: TokenProof): Promise<FoundToken>;
  /**
   * Spends a token in the transaction of the change that it allows. Of parallel calls one succeeds, the others throw
   * `invalid_one_time_token`; so they do when the account got another token version meanwhile or was disabled.
   * @returns the account; undefined for a token without one
   */
  spend(stores: SpendStores, found: FoundToken): Promise<Account | undefined>;
  /** Ends the token of an account and purpose. */
  revoke(
    stores: Pick<TransactionStores, 'oneTimeTokens'>,
    request: Pick<TokenRequest, 'purpose' | 'account' | 'address'>,
  ): Promise<void>;
}

export interface OneTimeTokensDeps {
  oneTimeTokens: Pick<OneTimeTokenStore, 'find' | 'tryCode'>;
  keys: Pick<ServerKeys, 'lookupHashes' | 'seal' | 'open'>;
  clock: Clock;
}

const detailsSchema = z.record(z.string(), z.unknown());

/** What anonymous requests may store is bounded (DESIGN §7). */
const longestDetails = 2_000;

const tokenLabel = 'one-time token';
const flowLabel = 'one-time flow';
const codeLabel = 'one-time code';

const detailsContext = (purpose: string, hash: string) => `one-time token ${purpose} ${hash}`;

export function createOneTimeTokens({ oneTimeTokens, keys, clock }: OneTimeTokensDeps): OneTimeTokens {
  const codeValue = (flow: string, code: string) => `${flow} ${lettersOf(code)}`;

  const write = async (
    stores: Pick<TransactionStores, 'oneTimeTokens'>,
    request: TokenRequest,
    code?: OneTimeToken['code'],
  ): Promise<string> => {
    const { purpose, account, address, details = {} } = request;
    const token = randomToken();
    const [hash] = keys.lookupHashes(tokenLabel, token);
    const text = JSON.stringify(details);
    if (text.length > longestDetails) throw new Error(`the details of a ${purpose} token are too long`);
    await stores.oneTimeTokens.replace({
      purpose,
      subject: subjectOf(request),
      hash,
      accountId: account?.id,
      tokenVersion: account?.tokenVersion,
      address,
      details: keys.seal(detailsContext(purpose, hash), text),
      code,
      expiresAt: clock.now() + purposes[purpose].lifeMs,
    });
    return token;
  };
  const lookUp = async (proof: TokenProof): Promise<OneTimeToken | undefined> => {
    if ('token' in proof) {
      for (const hash of keys.lookupHashes(tokenLabel, proof.token)) {
        const found = await oneTimeTokens.find(hash, clock.now());
        if (found) return found;
      }
      return undefined;
    }
    const hashes = keys.lookupHashes(codeLabel, codeValue(proof.flow, proof.code));
    // The same secret made both hashes of a row.
    for (const [index, flowHash] of keys.lookupHashes(flowLabel, proof.flow).entries()) {
      const found = await oneTimeTokens.tryCode({ flowHash, hash: hashes[index] ?? '' }, clock.now());
      if (found) return found;
    }
    return undefined;
  };

  return {
    lifeMs: (purpose) => purposes[purpose].lifeMs,
    newFlow: () => randomToken(),
    createLink: (stores, request) => write(stores, request),
    createLinkAndCode: async (stores, request) => {
      const code = newCode();
      const [flowHash] = keys.lookupHashes(flowLabel, request.flow);
      const [hash] = keys.lookupHashes(codeLabel, codeValue(request.flow, code));
      return { token: await write(stores, request, { flowHash, hash }), code };
    },
    find: async (purpose, proof) => {
      const found = await lookUp(proof);
      if (found?.purpose !== purpose) throw invalid();
      const { hash, tokenVersion, accountId, address, details, expiresAt } = found;
      const text = details === undefined ? '{}' : keys.open(detailsContext(purpose, hash), details);
      if (text === undefined) throw invalid();
      return {
        purpose,
        accountId,
        address,
        details: detailsSchema.parse(JSON.parse(text)),
        expiresAt,
        stored: { hash, tokenVersion },
      };
    },
    spend: async (stores, { purpose, accountId, stored }) => {
      if (!(await stores.oneTimeTokens.spend(stored.hash, clock.now()))) throw invalid();
      if (accountId === undefined) return undefined;
      const account = await stores.accounts.findById(accountId);
      if (account?.state !== 'active') throw invalid();
      if (purposes[purpose].endsWithTokenVersion && account.tokenVersion !== stored.tokenVersion)
        throw invalid();
      return account;
    },
    revoke: ({ oneTimeTokens: store }, request) => store.remove(request.purpose, subjectOf(request)),
  };
}

function subjectOf({ purpose, account, address }: Pick<TokenRequest, 'purpose' | 'account' | 'address'>) {
  if (account === undefined) return `address ${emailKey(address)}`;
  const { newestOf }: PurposeRules = purposes[purpose];
  return newestOf === 'account' ? account.id : `${account.id} ${emailKey(address)}`;
}

/** No vowels, so that no words appear, and no letter that looks like another one or like a digit (RFC 8628 §6.1). */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';

/** 34 random bits. With five tries for each mail they can't be guessed. */
function newCode(): string {
  const letters = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** People copy codes with blanks and hyphens, and type small letters. */
const lettersOf = (code: string) => code.replace(/[\s-]/g, '').toUpperCase();

export const invalid = () =>
  new GatehouseError(
    'invalid_one_time_token',
    'The link or the code is wrong, was used, or is too old. Ask for a new mail.',
  );
