import { bySigning, isRetired, signingKey } from './key-schedule.ts';
import type { KeySet, SigningKey } from './key-set.ts';
import { type NewKey, rotated } from './rotation.ts';

export type Retirement =
  | { outcome: 'unknown' }
  /** The key is retired already, or it retires at this time because the next key then signs. */
  | { outcome: 'unchanged'; retiredAt: number }
  /** It was the signing key. A new key was added, and the key retires at the time when the new key starts to sign. */
  | { outcome: 'replaced'; set: KeySet; retiredAt: number }
  /** It was not signing yet, and never will. It stays published like every retired key. */
  | { outcome: 'withdrawn'; set: KeySet }
  /** It is no longer in the set. This key signs now. */
  | { outcome: 'removed'; set: KeySet; signing: SigningKey };

export interface RetireOptions {
  kid: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** The key that takes the place of the signing key, if no other key can. */
  successor: NewKey;
  leadSeconds: number;
}

/** Every key that is not retired signs until the next one starts. */
function inTurn(keys: readonly SigningKey[], now: number): KeySet {
  const live = keys.filter((key) => !isRetired(key, now)).sort(bySigning);
  return {
    keys: keys.map((key) => {
      const place = live.indexOf(key);
      if (place === -1) return key;
      const { retiredAt, ...endless } = key;
      const next = live[place + 1];
      return next === undefined ? endless : { ...endless, retiredAt: next.signsFrom };
    }),
  };
}

/** Ends the use of a key so that no token is refused: the key stays published until its last token has expired. */
export function retire(set: KeySet, { kid, now, successor, leadSeconds }: RetireOptions): Retirement {
  const key = set.keys.find((one) => one.kid === kid);
  if (key === undefined) return { outcome: 'unknown' };
  if (key !== signingKey(set, now) && !isRetired(key, now)) {
    const others = set.keys.filter((one) => one !== key);
    const { keys } = inTurn(others, now);
    return { outcome: 'withdrawn', set: { keys: [...keys, { ...key, retiredAt: now }] } };
  }
  if (key.retiredAt !== undefined) return { outcome: 'unchanged', retiredAt: key.retiredAt };
  const { set: next, signsFrom } = rotated(set, successor, now, leadSeconds);
  return { outcome: 'replaced', set: next, retiredAt: signsFrom };
}

/**
 * Removes a key at once, for a key that leaked. Everything that it signed is refused from now on. If it was the signing
 * key, the key that has been published for the longest time takes its place: verifiers are most likely to have it. If
 * there is none, it is `successor`, which verifiers with a cache refuse until they read the keys again.
 */
export function remove(set: KeySet, { kid, now, successor }: RetireOptions): Retirement {
  const key = set.keys.find((one) => one.kid === kid);
  if (key === undefined) return { outcome: 'unknown' };
  let others = set.keys.filter((one) => one !== key);
  if (key === signingKey(set, now)) {
    const live = others.filter((one) => !isRetired(one, now));
    const [best] = live.sort((one, other) => one.publishedAt - other.publishedAt || bySigning(one, other));
    const next = { ...(best ?? { ...successor, publishedAt: now }), signsFrom: now };
    others = [...others.filter((one) => one !== best), next];
  }
  const left = inTurn(others, now);
  return { outcome: 'removed', set: left, signing: signingKey(left, now) };
}
