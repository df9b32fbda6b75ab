import type { Clock } from '../../lib/clock.ts';
import { randomToken } from '../../lib/ids.ts';
import { deriveKey, open, type ServerKeys, seal } from '../../lib/server-keys.ts';
import type { FamilyStore, StoredFamily } from '../../ports/family-store.ts';

/** The payload of the library's RefreshToken model, as far as we read it. */
export type RefreshTokenPayload = Record<string, unknown> & {
  accountId?: string | undefined;
  clientId?: string | undefined;
  sid?: string | undefined;
  grantId?: string | undefined;
  exp?: number | undefined;
  tokenVersion?: number | undefined;
  clientTokenVersion?: number | undefined;
  expiresWithSession?: boolean | undefined;
  sessionUid?: string | undefined;
  sessionSid?: string | undefined;
  jkt?: string | undefined;
  familyId?: string | undefined;
  iiat?: number | undefined;
  indexedAt?: number | undefined;
};

interface FoundToken {
  token: RefreshTokenValue;
  family: StoredFamily;
}

export interface CurrentRefreshToken extends FoundToken {
  state: 'current';
  payload: RefreshTokenPayload;
  /** When earlier tokens of the family were spent; `rotate` needs it. */
  spent: SpentLog;
}

/** We issued this token, and it was redeemed before. */
export interface SpentRefreshToken extends FoundToken {
  state: 'spent';
  /** Milliseconds since the epoch; undefined when it is longer ago than any grace. */
  spentAt: number | undefined;
  /** Thumbprint of the key that the family is bound to (RFC 9449 §5). */
  jkt: string | undefined;
  /** Its direct successor, as long as that is unused. */
  successor?: RefreshTokenPayload;
  /** The response to its first redemption, as long as it is kept. */
  storedResponse?: string | undefined;
}

/** We issued this token in a rotation that the store lost. After a failover, Redis may have older data. */
export interface ForgottenRefreshToken extends FoundToken {
  state: 'forgotten';
}

/** We issued this token, but its family is not in the store. It has ended or expired, or the store lost its data. */
export interface GoneRefreshToken {
  state: 'gone';
  token: RefreshTokenValue;
}

export type RefreshTokenLookup =
  | CurrentRefreshToken
  | SpentRefreshToken
  | ForgottenRefreshToken
  | GoneRefreshToken;

export interface RefreshTokenRotation {
  /** The token to spend, as it was found. */
  found: CurrentRefreshToken;
  /** The text of its successor, made by `successorOf`. */
  to: string;
  payload: RefreshTokenPayload;
  /**
   * The response for a repeated redemption, and for how long it is kept; sealed so that only the holder of the spent token
   * can read it. Undefined when none is kept.
   */
  keptResponse: { text: string; seconds: number } | undefined;
}

/** Refresh tokens as clients hold them, over a store that holds only hashes. */
export interface RefreshTokens {
  /** The text of a family's first token; nothing is stored. */
  generate(familyId: string): string;
  /** The text of the token that follows this one; nothing is stored. */
  successorOf(token: RefreshTokenValue): string;
  /** Stores the first token of a family. False when the family was ended before. */
  open(value: string, payload: RefreshTokenPayload): Promise<boolean>;
  /** Reads the family once. Undefined for a text that is no refresh token of ours. */
  find(value: string): Promise<RefreshTokenLookup | undefined>;
  /** A family's current token, for a caller that does not hold it. `expiresAt` in milliseconds since the epoch. */
  inspect(familyId: string): Promise<{ payload: RefreshTokenPayload; expiresAt: number } | undefined>;
  /** One compare-and-set. If parallel calls spend the same token, only one gets true, and only its response is kept. */
  rotate(rotation: RefreshTokenRotation): Promise<boolean>;
}

interface Stored {
  token: RefreshTokenPayload;
  count: number;
  spent: SpentLog;
}

export function createRefreshTokens(options: {
  families: FamilyStore;
  keys: ServerKeys;
  clock: Clock;
}): RefreshTokens {
  const { families, keys, clock } = options;
  const context = (familyId: string) => `refresh token ${familyId}`;
  const sealed = (familyId: string, stored: Stored) => keys.seal(context(familyId), JSON.stringify(stored));
  const readOwn = (value: string) => {
    const read = readRefreshToken(keys, value);
    if (!read) throw new Error('not a refresh token of ours');
    return read;
  };

  const openStored = ({ id, payload }: StoredFamily): Stored | undefined => {
    const text = keys.open(context(id), payload);
    return text === undefined ? undefined : (JSON.parse(text) as Stored);
  };

  const lookup = (token: RefreshTokenValue, family: StoredFamily): RefreshTokenLookup | undefined => {
    const stored = openStored(family);
    if (stored === undefined) return undefined;
    const { token: payload, spent, count: current } = stored;
    if (token.hashes.includes(family.currentHash)) return { state: 'current', token, family, payload, spent };
    if (!token.isOurs()) return undefined;
    if (token.count >= current) return { state: 'forgotten', token, family };
    const spentAt = spentTime(spent, token.count);
    const found: SpentRefreshToken = { state: 'spent', token, family, jkt: payload.jkt, spentAt };
    if (token.count !== current - 1) return found;
    return { ...found, successor: payload, storedResponse: openResponse(token, family.storedResponse) };
  };

  return {
    generate: (familyId) => newRefreshToken(keys, familyId, 0),
    successorOf: ({ familyId, count }) => newRefreshToken(keys, familyId, count + 1),
    open: async (value, payload) => {
      const { familyId, count, hashes } = readOwn(value);
      return families.open({
        id: familyId,
        accountId: payload.accountId ?? '',
        clientId: payload.clientId ?? '',
        sid: payload.sid,
        currentHash: hashes[0],
        payload: sealed(familyId, { token: payload, count, spent: [] }),
        expiresAt: (payload.exp ?? 0) * 1000,
      });
    },
    find: async (value) => {
      const token = readRefreshToken(keys, value);
      if (!token) return undefined;
      const family = await families.find(token.familyId);
      if (family) return lookup(token, family);
      return token.isOurs() ? { state: 'gone', token } : undefined;
    },
    inspect: async (familyId) => {
      const family = await families.find(familyId);
      const stored = family && openStored(family);
      return stored && { payload: stored.token, expiresAt: family.expiresAt };
    },
    rotate: async ({ found, to, payload, keptResponse }) => {
      const { token } = found;
      const now = clock.now();
      const spent = noteSpent(found.spent, token.count, now);
      const rotation = {
        hash: hashesOf(keys, to)[0],
        payload: sealed(token.familyId, { token: payload, count: token.count + 1, spent }),
        expiresAt: (payload.exp ?? 0) * 1000,
        storedResponse: keptResponse && {
          sealed: sealResponse(token, keptResponse.text),
          until: now + keptResponse.seconds * 1000,
        },
      };
      for (const hash of token.hashes) {
        if (await families.rotate(token.familyId, hash, rotation)) return true;
      }
      return false;
    },
  };
}

/** The key comes from the token alone: its holder can read the response, and a copy of the store cannot. */
const responseKey = ({ value }: RefreshTokenValue) => deriveKey(value, 'refresh answer');

const sealResponse = (token: RefreshTokenValue, response: string) =>
  seal(responseKey(token), `answer ${token.familyId}`, response);

const openResponse = (token: RefreshTokenValue, sealed: string | undefined) =>
  sealed === undefined ? undefined : open(responseKey(token), `answer ${token.familyId}`, sealed);

/**
 * A refresh token as the client holds it: `family.count~secret+proof`. The count is its position in the family, the secret
 * has 256 random bits, and the proof is a keyed tag which shows that we issued it. So a token that was spent long ago is
 * recognised, and its reuse noticed, without a row for each token ever issued. It has one dot: with two, the library would
 * take it for a JWT.
 */
export interface RefreshTokenValue {
  /** The text that the client holds. */
  value: string;
  familyId: string;
  count: number;
  /** The keyed hashes by which the store may know it: under the current server secret, then under older ones. */
  hashes: [string, ...string[]];
  /** Whether the proof is right. */
  isOurs(): boolean;
}

const label = 'refresh token';
const proofLength = 22;
const shape = /^(fam_[\w-]{22})\.(0|[1-9a-z][0-9a-z]{0,7})~[\w-]{65}$/;

const bodyOf = (value: string) => value.slice(0, -proofLength);
const hashesOf = (keys: ServerKeys, value: string) => keys.lookupHashes(label, bodyOf(value));

/** @returns the text of a new refresh token; nothing is stored */
export function newRefreshToken(keys: ServerKeys, familyId: string, count: number): string {
  const body = `${familyId}.${count.toString(36)}~${randomToken(32)}`;
  return `${body}${keys.tag(label, body)}`;
}

/** @returns undefined for a text that cannot be a refresh token of ours */
export function readRefreshToken(keys: ServerKeys, value: string): RefreshTokenValue | undefined {
  const [, familyId, count] = shape.exec(value) ?? [];
  if (!familyId || !count) return undefined;
  return {
    value,
    familyId,
    count: Number.parseInt(count, 36),
    hashes: hashesOf(keys, value),
    isOurs: () => keys.checkTag(label, bodyOf(value), value.slice(-proofLength)),
  };
}

/**
 * A log of when the tokens of a family were spent, for the last minute. For each second in which tokens were spent, it
 * has the time and the counts of the first and the last token. So the log stays short even if a client refreshes very
 * often.
 */
export type SpentLog = readonly SpentSecond[];

type SpentSecond = readonly [spentAt: number, first: number, last: number];

/** The longest grace that can be configured (DESIGN §1, G1). */
const longestGraceMs = 60_000;

/** @returns the log with one more token, without entries that are too old to matter */
export function noteSpent(log: SpentLog, count: number, spentAt: number): SpentLog {
  const recent = log.filter(([at]) => spentAt - at < longestGraceMs + 1000);
  const latest = recent.at(-1);
  if (latest && second(latest[0]) === second(spentAt))
    return [...recent.slice(0, -1), [spentAt, latest[1], count]];
  return [...recent, [spentAt, count, count]];
}

/**
 * @returns when a token was spent, in whole seconds for all but the last one; undefined when that is longer ago than
 * any grace
 */
export function spentTime(log: SpentLog, count: number): number | undefined {
  return log.find(([, first, last]) => first <= count && count <= last)?.[0];
}

const second = (time: number) => Math.floor(time / 1000);
