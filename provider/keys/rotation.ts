import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { KeyStore, StoredKeySet } from '../ports/key-store.ts';
import { generateKey } from './generate-key.ts';
import { withoutDeadKeys } from './key-schedule.ts';
import { type KeySet, type KeyTimes, parseKeySet, type SigningKey, serializeKeySet } from './key-set.ts';

/** A key that has no times yet. */
export type NewKey = Pick<SigningKey, 'kid' | 'privateJwk' | 'kms'>;

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

/** The result of a change, with the set to save. Without a set, there is nothing to save. */
interface Change {
  outcome: string;
  set?: KeySet;
}

export interface ChangeDeps {
  store: KeyStore;
  clock: Clock;
  times: KeyTimes;
}

/** Another process changed the set at the same time. Nothing was written. */
interface Lost {
  outcome: 'lost';
}

/**
 * Changes the stored key set in one compare-and-set, and removes the keys that are no longer needed.
 *
 * @param change gets the stored set. It may take its time: if the set changes meanwhile, the change is lost.
 * @param dryRun when true, nothing is written
 * @returns the result of `change`
 * @throws ConfigurationError when the stored set can't be read; GatehouseError `not_found` when there is no set; any
 *   error that the store or `change` throws
 */
export async function changeStoredKeySet<Result extends Change>(
  { store, clock, times }: ChangeDeps,
  change: (set: KeySet) => Result | Promise<Result>,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<Result | Lost> {
  const stored = await store.load();
  if (stored === undefined) {
    throw new GatehouseError(
      'not_found',
      'There is no key set yet. The first start makes one, or gatehouse keys create.',
    );
  }
  const result = await change(withoutDeadKeys(parseKeySet(stored.value), clock.now(), times));
  if (result.set === undefined || dryRun) return result;
  return (await store.save(serializeKeySet(result.set), stored.version)) ? result : { outcome: 'lost' };
}

export type RotationOutcome = { outcome: 'rotated'; kid: string; signsFrom: number } | Lost;

/**
 * Adds a key to the stored set, as `changeStoredKeySet` does. If there is no set, it creates one before.
 *
 * @throws ConfigurationError when the stored set can't be read; any error that the store throws
 */
export async function rotateStoredKeySet(deps: ChangeDeps): Promise<RotationOutcome> {
  await ensureKeySet(deps);
  const result = await changeStoredKeySet(deps, async (set) => {
    const key = await generateKey();
    return { ...rotated(set, key, deps.clock.now(), deps.times.leadSeconds), kid: key.kid };
  });
  if (result.outcome === 'lost') return result;
  return { outcome: 'rotated', kid: result.kid, signsFrom: result.signsFrom };
}

/** The rotated set, and the time in milliseconds at which the new key starts to sign. */
export function rotated(set: KeySet, key: NewKey, now: number, leadSeconds: number) {
  const next = rotate(set, key, now, leadSeconds);
  const signsFrom = next.keys.find(({ kid }) => kid === key.kid)?.signsFrom ?? now;
  return { outcome: 'rotated' as const, set: next, signsFrom };
}
