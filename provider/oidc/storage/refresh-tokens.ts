import type { Clock } from '../../lib/clock.ts';
import { deriveKey, open, seal } from '../../lib/sealed.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { FamilyStore, StoredFamily } from '../../ports/family-store.ts';
import { newRefreshToken, type RefreshTokenValue, readRefreshToken } from './refresh-token-value.ts';
import { noteSpent, type SpentLog, spentTime } from './spent-log.ts';

/** The payload of the library's RefreshToken model, as far as it is looked into. */
export type RefreshTokenPayload = Record<string, unknown> & {
  accountId?: string | undefined;
  clientId?: string | undefined;
  grantId?: string | undefined;
  exp?: number | undefined;
  tokenVersion?: number | undefined;
  clientTokenVersion?: number | undefined;
  expiresWithSession?: boolean | undefined;
  sessionUid?: string | undefined;
  sessionSid?: string | undefined;
  jkt?: string | undefined;
};

export interface CurrentRefreshToken {
  state: 'current';
  familyId: string;
  payload: RefreshTokenPayload;
  /** What `rotate` has to know of the family. */
  spent: SpentLog;
}

/** Issued by us and redeemed before. */
export interface SpentRefreshToken {
  state: 'spent';
  familyId: string;
  clientId: string;
  /** Milliseconds since the epoch; undefined when it is longer ago than any grace. */
  spentAt: number | undefined;
  /** Thumbprint of the key that the family is bound to (RFC 9449 §5). */
  jkt?: string | undefined;
  /** Its direct successor, as long as nobody used that. */
  successor?: RefreshTokenPayload;
  /** What it was answered with, as long as that is given again. */
  answer?: string | undefined;
}

/** Issued by us in a rotation that the store lost: a Redis that fails over may go back to before it. */
export interface ForgottenRefreshToken {
  state: 'forgotten';
  familyId: string;
  clientId: string;
}

export type RefreshTokenLookup = CurrentRefreshToken | SpentRefreshToken | ForgottenRefreshToken;

export interface RefreshTokenRotation {
  /** The token to spend, and how it was found. */
  from: string;
  found: CurrentRefreshToken;
  /** Its successor, of `after`. */
  to: string;
  payload: RefreshTokenPayload;
  /** For who presents `from` once more; sealed so that nobody else can read it, a copy of the store included. */
  answer: string;
  answerSeconds: number;
}

/** Refresh tokens as bearers hold them, over the store that holds only hashes. */
export interface RefreshTokens {
  /** The first value of a family; nothing is stored. */
  generate(familyId: string): string;
  /** A value to follow this one; nothing is stored. */
  after(value: string): string;
  /** Stores the first token of a family. False when the family was ended before. */
  open(value: string, payload: RefreshTokenPayload): Promise<boolean>;
  find(value: string): Promise<RefreshTokenLookup | undefined>;
  /** The family of a token that we issued, whether it is known still or not; undefined for anything else. */
  familyOf(value: string): string | undefined;
  /** What a family's current token stands for, for who doesn't hold it. `expiresAt` in milliseconds since the epoch. */
  inspect(familyId: string): Promise<{ payload: RefreshTokenPayload; expiresAt: number } | undefined>;
  /** One compare-and-set: of parallel calls with the same `from`, one gets true, and its answer is the one that stays. */
  rotate(rotation: RefreshTokenRotation): Promise<boolean>;
}

interface Stored {
  token: RefreshTokenPayload;
  count: number;
  spent: SpentLog;
}

export function createRefreshTokens(deps: {
  families: FamilyStore;
  keys: ServerKeys;
  clock: Clock;
}): RefreshTokens {
  const { families, keys, clock } = deps;
  const context = (familyId: string) => `refresh token ${familyId}`;
  const sealed = (familyId: string, stored: Stored) => keys.seal(context(familyId), JSON.stringify(stored));
  const mustRead = (value: string) => {
    const read = readRefreshToken(keys, value);
    if (!read) throw new Error('not a refresh token of ours');
    return read;
  };

  const openStored = ({ id, payload }: StoredFamily): Stored | undefined => {
    const text = keys.open(context(id), payload);
    return text === undefined ? undefined : (JSON.parse(text) as Stored);
  };

  const lookup = (
    value: string,
    { hashes, count, isOurs }: RefreshTokenValue,
    family: StoredFamily,
  ): RefreshTokenLookup | undefined => {
    const { id: familyId, clientId } = family;
    const stored = openStored(family);
    if (stored === undefined) return undefined;
    const { token, spent, count: current } = stored;
    if (hashes.includes(family.currentHash)) return { state: 'current', familyId, payload: token, spent };
    if (!isOurs()) return undefined;
    if (count >= current) return { state: 'forgotten', familyId, clientId };
    const { jkt } = token;
    const found = { state: 'spent', familyId, clientId, jkt, spentAt: spentTime(spent, count) } as const;
    if (count !== current - 1) return found;
    return { ...found, successor: token, answer: openAnswer(value, familyId, family.storedResponse) };
  };

  return {
    generate: (familyId) => newRefreshToken(keys, familyId, 0),
    after: (value) => {
      const { familyId, count } = mustRead(value);
      return newRefreshToken(keys, familyId, count + 1);
    },
    open: async (value, payload) => {
      const { familyId, count, hashes } = mustRead(value);
      return families.open({
        id: familyId,
        accountId: payload.accountId ?? '',
        clientId: payload.clientId ?? '',
        currentHash: hashes[0],
        payload: sealed(familyId, { token: payload, count, spent: [] }),
        expiresAt: (payload.exp ?? 0) * 1000,
      });
    },
    find: async (value) => {
      const read = readRefreshToken(keys, value);
      const family = read && (await families.find(read.familyId));
      return read && family ? lookup(value, read, family) : undefined;
    },
    familyOf: (value) => {
      const read = readRefreshToken(keys, value);
      return read?.isOurs() ? read.familyId : undefined;
    },
    inspect: async (familyId) => {
      const family = await families.find(familyId);
      const stored = family && openStored(family);
      return stored && { payload: stored.token, expiresAt: family.expiresAt };
    },
    rotate: async ({ from, found, to, payload, answer, answerSeconds }) => {
      const [old, next] = [mustRead(from), mustRead(to)];
      const now = clock.now();
      const spent = noteSpent(found.spent, old.count, now);
      const rotation = {
        hash: next.hashes[0],
        payload: sealed(next.familyId, { token: payload, count: next.count, spent }),
        expiresAt: (payload.exp ?? 0) * 1000,
        storedResponse: { sealed: sealAnswer(from, old.familyId, answer), until: now + answerSeconds * 1000 },
      };
      for (const hash of old.hashes) {
        if (await families.rotate(old.familyId, hash, rotation)) return true;
      }
      return false;
    },
  };
}

/** Who can present the token can read its answer, and nobody else: the key comes from the token alone. */
const answerKey = (value: string) => deriveKey(value, 'refresh answer');

const sealAnswer = (value: string, familyId: string, answer: string) =>
  seal(answerKey(value), `answer ${familyId}`, answer);

const openAnswer = (value: string, familyId: string, answer: string | undefined) =>
  answer === undefined ? undefined : open(answerKey(value), `answer ${familyId}`, answer);
