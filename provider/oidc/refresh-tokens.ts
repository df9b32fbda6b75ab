import type { Clock } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { FamilyStore, StoredFamily } from '../ports/family-store.ts';

/** The payload of the library's RefreshToken model, as far as it is looked into. */
export type RefreshTokenPayload = Record<string, unknown> & {
  accountId?: string | undefined;
  clientId?: string | undefined;
  grantId?: string | undefined;
  exp?: number | undefined;
  generation?: number | undefined;
  expiresWithSession?: boolean | undefined;
  sessionUid?: string | undefined;
  sessionSid?: string | undefined;
};

export type RefreshTokenLookup =
  | { state: 'current'; familyId: string; payload: RefreshTokenPayload }
  /** Issued by us and redeemed before. */
  | { state: 'spent'; familyId: string; clientId: string };

/**
 * Refresh tokens as bearers hold them, over the store that holds only hashes.
 *
 * A token is `family.secret+proof`: 256 random bits, and a tag that shows we issued it. So a token spent long ago
 * is recognised as ours, and its reuse noticed, without a row for each token ever issued.
 */
export interface RefreshTokens {
  /** A new value for the family; nothing is stored. */
  generate(familyId: string): string;
  /** Stores the first token of a family. False when the family was ended before. */
  open(value: string, payload: RefreshTokenPayload): Promise<boolean>;
  find(value: string): Promise<RefreshTokenLookup | undefined>;
  /** What a family's current token stands for, for who doesn't hold it. `expiresAt` in milliseconds since the epoch. */
  inspect(familyId: string): Promise<{ payload: RefreshTokenPayload; expiresAt: number } | undefined>;
  /** One compare-and-set: of parallel calls with the same `from`, one gets true. */
  rotate(from: string, to: string, payload: RefreshTokenPayload): Promise<boolean>;
}

interface Parts {
  familyId: string;
  secret: string;
  proof: string;
}

const shape = /^(?<familyId>fam_[\w-]{22})\.(?<secret>[\w-]{43})(?<proof>[\w-]{22})$/;

function parse(value: string): Parts | undefined {
  const { familyId, secret, proof } = shape.exec(value)?.groups ?? {};
  return familyId && secret && proof ? { familyId, secret, proof } : undefined;
}

export function createRefreshTokens(deps: {
  families: FamilyStore;
  keys: ServerKeys;
  clock: Clock;
}): RefreshTokens {
  const { families, keys, clock } = deps;
  const label = 'refresh token';
  const context = (familyId: string) => `${label} ${familyId}`;
  const hashes = ({ familyId, secret }: Parts) => keys.lookupHashes(label, `${familyId}.${secret}`);

  const lookup = (parts: Parts, family: StoredFamily): RefreshTokenLookup | undefined => {
    const sealed = hashes(parts).includes(family.currentHash)
      ? keys.open(context(family.id), family.payload)
      : undefined;
    if (sealed) return { state: 'current', familyId: family.id, payload: JSON.parse(sealed) };
    const ours = keys.checkTag(label, `${parts.familyId}.${parts.secret}`, parts.proof);
    return ours ? { state: 'spent', familyId: family.id, clientId: family.clientId } : undefined;
  };

  return {
    generate: (familyId) => {
      const secret = randomToken(32);
      return `${familyId}.${secret}${keys.tag(label, `${familyId}.${secret}`)}`;
    },
    open: async (value, payload) => {
      const parts = mustParse(value);
      return families.open({
        id: parts.familyId,
        accountId: payload.accountId ?? '',
        clientId: payload.clientId ?? '',
        currentHash: hashes(parts)[0],
        payload: keys.seal(context(parts.familyId), JSON.stringify(payload)),
        expiresAt: (payload.exp ?? 0) * 1000,
      });
    },
    find: async (value) => {
      const parts = parse(value);
      const family = parts && (await families.find(parts.familyId));
      return parts && family ? lookup(parts, family) : undefined;
    },
    inspect: async (familyId) => {
      const family = await families.find(familyId);
      const sealed = family && keys.open(context(familyId), family.payload);
      return sealed ? { payload: JSON.parse(sealed), expiresAt: family.expiresAt } : undefined;
    },
    rotate: async (from, to, payload) => {
      const [old, next] = [mustParse(from), mustParse(to)];
      const rotation = {
        hash: hashes(next)[0],
        payload: keys.seal(context(next.familyId), JSON.stringify(payload)),
        expiresAt: (payload.exp ?? 0) * 1000,
        at: clock.now(),
      };
      for (const hash of hashes(old)) {
        if (await families.rotate(old.familyId, hash, rotation)) return true;
      }
      return false;
    },
  };
}

function mustParse(value: string): Parts {
  const parts = parse(value);
  if (!parts) throw new Error('not a refresh token of ours');
  return parts;
}
