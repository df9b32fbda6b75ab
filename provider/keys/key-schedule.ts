import type { KeySet, KeyTimes, SigningKey } from './key-set.ts';

/** Sorts later keys last. The kid decides between equal times, so that all processes choose the same key. */
export const bySigning = (a: SigningKey, b: SigningKey) =>
  a.signsFrom - b.signsFrom || (a.kid < b.kid ? -1 : 1);

/** Whether the key has stopped to sign at `now`, in milliseconds. */
export const isRetired = ({ retiredAt }: SigningKey, now: number) =>
  retiredAt !== undefined && retiredAt <= now;

/** @param seconds how long the key is needed after it stopped signing */
const neededUntil = ({ retiredAt }: SigningKey, seconds: number) =>
  retiredAt === undefined ? Number.POSITIVE_INFINITY : retiredAt + seconds * 1000;

const publishedSeconds = ({ tokenSeconds, leadSeconds }: Omit<KeyTimes, 'keptSeconds'>) =>
  tokenSeconds + leadSeconds;

/** Retired keys verify hints for at least as long as they are published. */
const keptSeconds = (times: KeyTimes) => Math.max(times.keptSeconds, publishedSeconds(times));

/**
 * The key that signs at `now` (milliseconds): among the keys that aren't retired, the one that started to sign last. If
 * no key has started yet, because this clock is behind the clock that created the first key, it is the key that starts
 * first.
 */
export function signingKey(set: KeySet, now: number): SigningKey {
  const live = set.keys.filter((key) => !isRetired(key, now)).sort(bySigning);
  const key = live.findLast(({ signsFrom }) => signsFrom <= now) ?? live[0];
  if (key === undefined) throw new Error('a key set without a live key was let in');
  return key;
}

/**
 * The keys in the JWKS at `now`, the signing key first. These are the keys that sign or will sign. Retired keys stay
 * until the last token they signed has expired and the lead time for verifiers' caches has passed.
 */
export function publishedKeys(set: KeySet, now: number, times: Omit<KeyTimes, 'keptSeconds'>): SigningKey[] {
  const signing = signingKey(set, now);
  const others = set.keys.filter(
    (key) => key !== signing && key.publishedAt <= now && now < neededUntil(key, publishedSeconds(times)),
  );
  return [signing, ...others.sort(bySigning).reverse()];
}

/**
 * The keys that verify tokens that we signed ourselves, the signing key first: the published keys, and retired keys for
 * a longer time.
 */
export function keptKeys(set: KeySet, now: number, times: KeyTimes): SigningKey[] {
  const signing = signingKey(set, now);
  const others = set.keys.filter(
    (key) => key !== signing && key.publishedAt <= now && now < neededUntil(key, keptSeconds(times)),
  );
  return [signing, ...others.sort(bySigning).reverse()];
}

/** The set without the keys that are no longer needed. */
export function withoutDeadKeys(set: KeySet, now: number, times: KeyTimes): KeySet {
  return { keys: set.keys.filter((key) => now < neededUntil(key, keptSeconds(times))) };
}

/** The time of the next change of one of the results above, in milliseconds; undefined when none will change. */
export function nextChangeAt(set: KeySet, now: number, times: KeyTimes): number | undefined {
  const changes = set.keys
    .flatMap((key) => [
      key.publishedAt,
      key.signsFrom,
      neededUntil(key, 0),
      neededUntil(key, publishedSeconds(times)),
      neededUntil(key, keptSeconds(times)),
    ])
    .filter((at) => at > now && Number.isFinite(at));
  return changes.length === 0 ? undefined : Math.min(...changes);
}
