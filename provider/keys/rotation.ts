import type { Clock } from '../lib/clock.ts';
import type { KeyStore, StoredKeySet } from '../ports/key-store.ts';
import { generateKey } from './generate-key.ts';
import { withoutDeadKeys } from './key-schedule.ts';
import { type KeySet, type KeyTimes, parseKeySet, type SigningKey, serializeKeySet } from './key-set.ts';

/** A key that has no times yet. */
export type NewKey = Pick<SigningKey, 'kid' | 'privateJwk'>;

/** The first set. It has one key, which is published and signs at once, because no verifier has cached a JWKS yet. */
export function firstKeySet(key: NewKey, now: number): KeySet {
  return { keys: [{ ...key, publishedAt: now, signsFrom: now }] };
}

/**
 * Gives the set with one more key. The new key is published at once and signs from `now` plus the lead time on. At that
 * time the previous key retires. With a lead time of 0, the new key signs at once, but verifiers that cache the JWKS
 * may refuse its tokens.
 *
 * @param now milliseconds since the epoch
 */
export function rotate(set: KeySet, key: NewKey, now: number, leadSeconds: number): KeySet {
  let signsFrom = now + leadSeconds * 1000;
  while (set.keys.some((other) => other.signsFrom === signsFrom)) signsFrom += 1;
  const earlier = set.keys
    .filter((other) => other.signsFrom < signsFrom)
    .map((other) => ({ ...other, retiredAt: Math.min(other.retiredAt ?? signsFrom, signsFrom) }));
  const later = set.keys.filter((other) => other.signsFrom > signsFrom);
  const added: SigningKey = { ...key, publishedAt: now, signsFrom };
  if (later.length > 0) added.retiredAt = Math.min(...later.map((other) => other.signsFrom));
  return { keys: [...earlier, added, ...later] };
}

/**
 * Gives the stored key set, and creates it if there is none. If several processes start at the same time, one of them
 * creates the set and all of them get it.
 *
 * @throws ConfigurationError when the stored set can't be read; any error that the store throws
 */
export async function ensureKeySet(deps: { store: KeyStore; clock: Clock }): Promise<StoredKeySet> {
  const { store, clock } = deps;
  const found = await store.load();
  if (found !== undefined) return found;
  const made = serializeKeySet(firstKeySet(await generateKey(), clock.now()));
  await store.save(made, undefined);
  const stored = await store.load();
  if (stored === undefined) throw new Error('the key set vanished right after it was saved');
  return stored;
}

export type RotationOutcome =
  | { outcome: 'rotated'; kid: string; signsFrom: number }
  /** Another process changed the set at the same time. Nothing was written. */
  | { outcome: 'lost' };

/**
 * Adds a key to the stored set and removes the keys that are no longer needed, in one compare-and-set.
 *
 * @throws ConfigurationError when the stored set can't be read; any error that the store throws
 */
export async function rotateStoredKeySet(deps: {
  store: KeyStore;
  clock: Clock;
  times: KeyTimes;
}): Promise<RotationOutcome> {
  const { store, clock, times } = deps;
  const { version, value } = await ensureKeySet(deps);
  const key = await generateKey();
  const now = clock.now();
  const kept = withoutDeadKeys(parseKeySet(value), now, times);
  const rotated = rotate(kept, key, now, times.leadSeconds);
  if (!(await store.save(serializeKeySet(rotated), version))) return { outcome: 'lost' };
  const added = rotated.keys.find(({ kid }) => kid === key.kid);
  return { outcome: 'rotated', kid: key.kid, signsFrom: added?.signsFrom ?? now };
}
