import type { KeySet, KeyTimes, SigningKey } from './key-set.ts';

/** Later ones last; the kid decides between equals, so that all processes choose the same. */
const bySigning = (a: SigningKey, b: SigningKey) => a.signsFrom - b.signsFrom || (a.kid < b.kid ? -1 : 1);

const isRetired = ({ retiredAt }: SigningKey, now: number) => retiredAt !== undefined && retiredAt <= now;

/** @param seconds how long the key is needed after it stopped signing */
const neededUntil = ({ retiredAt }: SigningKey, seconds: number) =>
  retiredAt === undefined ? Number.POSITIVE_INFINITY : retiredAt + seconds * 1000;

const publishedSeconds = ({ tokenSeconds, leadSeconds }: Omit<KeyTimes, 'keptSeconds'>) =>
  tokenSeconds + leadSeconds;

/** Retired keys check hints for at least as long as they are published. */
const keptSeconds = (times: KeyTimes) => Math.max(times.keptSeconds, publishedSeconds(times));

/**
 * The key that signs at `now` (milliseconds): of those that aren't retired, the one that took over last.
 * Where none has yet, because this clock is behind the one that made the set's first key, the one that will first.
 */
export function signingKey(set: KeySet, now: number): SigningKey {
  const live = set.keys.filter((key) => !isRetired(key, now)).sort(bySigning);
  const key = live.findLast(({ signsFrom }) => signsFrom <= now) ?? live[0];
  if (key === undefined) throw new Error('a key set without a live key was let in');
  return key;
}

/**
 * The keys in the JWKS at `now`, the signing one first: those that sign or will, and retired ones until the
 * last token they signed is dead and verifiers' caches had the lead time to follow.
 */
export function publishedKeys(set: KeySet, now: number, times: Omit<KeyTimes, 'keptSeconds'>): SigningKey[] {
  const signing = signingKey(set, now);
  const others = set.keys.filter(
    (key) => key !== signing && key.publishedAt <= now && now < neededUntil(key, publishedSeconds(times)),
  );
  return [signing, ...others.sort(bySigning).reverse()];
}

/** The keys that check what we signed ourselves, the signing one first: those published, and retired ones for longer. */
export function keptKeys(set: KeySet, now: number, times: KeyTimes): SigningKey[] {
  const signing = signingKey(set, now);
  const others = set.keys.filter(
    (key) => key !== signing && key.publishedAt <= now && now < neededUntil(key, keptSeconds(times)),
  );
  return [signing, ...others.sort(bySigning).reverse()];
}

/** The set without the keys nobody needs any more. */
export function withoutDeadKeys(set: KeySet, now: number, times: KeyTimes): KeySet {
  return { keys: set.keys.filter((key) => now < neededUntil(key, keptSeconds(times))) };
}

/** When one of the answers above changes next, in milliseconds; undefined when it never does. */
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
