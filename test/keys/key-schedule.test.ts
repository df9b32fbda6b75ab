import { describe, expect, test } from '@jest/globals';
import {
  keptKeys,
  nextChangeAt,
  publishedKeys,
  signingKey,
  withoutDeadKeys,
} from '../../provider/keys/key-schedule.ts';
import type { KeySet, KeyTimes, PrivateJwk, SigningKey } from '../../provider/keys/key-set.ts';
import { firstKeySet, rotate } from '../../provider/keys/rotation.ts';

const hour = 3_600_000;
const minute = 60_000;
const times: KeyTimes = { tokenSeconds: 900, leadSeconds: 3 * 3600, keptSeconds: 14 * 86_400 };

const newKey = (kid: string) => ({ kid, privateJwk: { kty: 'RSA' } as PrivateJwk });
const key = (kid: string, publishedAt: number, signsFrom: number, retiredAt?: number): SigningKey => ({
  ...newKey(kid),
  publishedAt,
  signsFrom,
  ...(retiredAt === undefined ? {} : { retiredAt }),
});
const kids = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid);
const signer = (set: KeySet, now: number) => signingKey(set, now).kid;

describe('one rotation over time', () => {
  const set = rotate(firstKeySet(newKey('a'), 0), newKey('b'), 10 * hour, times.leadSeconds);
  const lastToken = 13 * hour + times.tokenSeconds * 1000;

  test.each([
    ['before', 9 * hour, 'a', ['a']],
    ['just published', 10 * hour, 'a', ['a', 'b']],
    ['the last moment of the old key', 13 * hour - 1, 'a', ['a', 'b']],
    ['the first moment of the new key', 13 * hour, 'b', ['b', 'a']],
    ['the old key still published', lastToken + 3 * hour - 1, 'b', ['b', 'a']],
    ['the old key not published any more', lastToken + 3 * hour, 'b', ['b']],
  ])('%s', (_, now, signs, published) => {
    expect(signer(set, now)).toBe(signs);
    expect(kids(publishedKeys(set, now, times))).toEqual(published);
  });

  test('the old key is kept for logout longer than it is published', () => {
    const end = 13 * hour + times.keptSeconds * 1000;
    expect(kids(keptKeys(set, end - 1, times))).toEqual(['b', 'a']);
    expect(kids(keptKeys(set, end, times))).toEqual(['b']);
  });

  test('the old key is not dropped from the set before that time ends', () => {
    const end = 13 * hour + times.keptSeconds * 1000;
    expect(kids(withoutDeadKeys(set, end - 1, times).keys)).toEqual(['a', 'b']);
    expect(kids(withoutDeadKeys(set, end, times).keys)).toEqual(['b']);
  });

  test('a key is kept at least as long as it is published', () => {
    const brief = { ...times, keptSeconds: 1 };
    expect(kids(keptKeys(set, lastToken + 3 * hour - 1, brief))).toEqual(['b', 'a']);
    expect(kids(withoutDeadKeys(set, lastToken + 3 * hour - 1, brief).keys)).toEqual(['a', 'b']);
  });
});

describe('rotate', () => {
  test('retires the old key at the moment the new one signs', () => {
    const set = rotate(firstKeySet(newKey('a'), 0), newKey('b'), 5, 10);
    expect(set.keys).toEqual([key('a', 0, 0, 10_005), key('b', 5, 10_005)]);
  });

  test('does not change the given set', () => {
    const set = firstKeySet(newKey('a'), 0);
    rotate(set, newKey('b'), 5, 10);
    expect(set).toEqual(firstKeySet(newKey('a'), 0));
  });

  test('can start during another rotation', () => {
    const once = rotate(firstKeySet(newKey('a'), 0), newKey('b'), 0, 100);
    const twice = rotate(once, newKey('c'), 50_000, 100);
    expect(twice.keys).toEqual([
      key('a', 0, 0, 100_000),
      key('b', 0, 100_000, 150_000),
      key('c', 50_000, 150_000),
    ]);
  });

  test('without lead time signs at once, until a key that was already planned', () => {
    const once = rotate(firstKeySet(newKey('a'), 0), newKey('b'), 0, 100);
    const twice = rotate(once, newKey('c'), 50_000, 0);
    expect([49_999, 50_000, 99_999, 100_000].map((now) => signer(twice, now))).toEqual(['a', 'c', 'c', 'b']);
  });

  test('orders the keys of two rotations at the same moment', () => {
    const once = rotate(firstKeySet(newKey('a'), 0), newKey('b'), 0, 100);
    const twice = rotate(once, newKey('c'), 0, 100);
    expect(signer(twice, 100_000)).toBe('b');
    expect(signer(twice, 100_001)).toBe('c');
  });
});

describe('signingKey', () => {
  test('of the first set signs and is published also for a clock that is behind', () => {
    const set = firstKeySet(newKey('a'), 10 * minute);
    expect(signer(set, 9 * minute)).toBe('a');
    expect(kids(publishedKeys(set, 9 * minute, times))).toEqual(['a']);
  });

  test("doesn't depend on the order of the set", () => {
    const keys = [key('a', 0, 0), key('b', 0, 5), key('c', 0, 5)];
    for (const set of [{ keys }, { keys: [...keys].reverse() }]) expect(signer(set, 5)).toBe('c');
  });

  test('is never a retired key', () => {
    const set = { keys: [key('a', 0, 0), key('b', 0, 10, 20)] };
    expect([9, 10, 19, 20].map((now) => signer(set, now))).toEqual(['a', 'b', 'b', 'a']);
  });
});

/** Numbers between 0 and 1 that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The stored sets over time, if machines with clocks up to a minute off rotate keys at random. */
function randomHistory(random: () => number): { since: number; set: KeySet }[] {
  const skew = () => Math.round((random() * 2 - 1) * minute);
  const start = 100 * hour;
  const history = [{ since: start, set: firstKeySet(newKey('k0'), start + skew()) }];
  let at = start;
  for (let turn = 1; turn <= 6; turn += 1) {
    at += Math.round(random() * (random() < 0.5 ? 2 : 30) * hour);
    const last = history.at(-1)?.set ?? { keys: [] };
    const local = at + skew();
    const set = rotate(withoutDeadKeys(last, local, times), newKey(`k${turn}`), local, times.leadSeconds);
    history.push({ since: at, set });
  }
  return history;
}

describe.each(Array.from({ length: 25 }, (_, index) => index + 1))(
  'any history of rotations (%i)',
  (seed) => {
    const random = randomNumbers(seed);
    const history = randomHistory(random);
    const start = history[0]?.since ?? 0;
    const end = (history.at(-1)?.since ?? 0) + 20 * hour;
    /** A process that read the store up to a minute ago and has a clock up to a minute off. */
    const pod = (skew: number) => ({
      at: (time: number) => {
        const seen = history.findLast(({ since }) => since <= Math.max(start, time - minute));
        return { set: seen?.set ?? { keys: [] }, now: time + skew };
      },
    });
    const pods = [pod(-minute), pod(minute), pod(0)];
    const moments = Array.from({ length: 100 }, () => start + Math.round(random() * (end - start)));
    const views = moments.flatMap((time) => pods.map((one) => ({ time, ...one.at(time) })));
    const lastSet = history.at(-1)?.set ?? { keys: [] };

    test('no process signs with a key published for less than the lead time, except the first key', () => {
      const signing = views.map(({ set, now }) => ({ key: signingKey(set, now), now }));
      const early = signing.filter(({ key, now }) => now - key.publishedAt < times.leadSeconds * 1000);
      expect(early.filter(({ key }) => key.kid !== 'k0')).toEqual([]);
    });

    test('no verifier refuses a token if it read the JWKS of any process up to two hours before', () => {
      const refused = views.flatMap(({ time, set, now }) => {
        const { kid } = signingKey(set, now);
        const used = time + random() * times.tokenSeconds * 1000;
        const fetched = Math.max(start, used - random() * 2 * hour);
        const seen = pods.map((one) => one.at(fetched));
        return seen.filter((look) => !kids(publishedKeys(look.set, look.now, times)).includes(kid));
      });
      expect(refused).toEqual([]);
    });

    test('the signing key is published first, and published keys are kept', () => {
      for (const { set, now } of views) {
        const published = kids(publishedKeys(set, now, times));
        const kept = kids(keptKeys(set, now, times));
        const first = signer(set, now);
        expect([published[0], kept[0]]).toEqual([first, first]);
        expect(published.filter((kid) => !kept.includes(kid))).toEqual([]);
        expect(new Set(kept).size).toBe(kept.length);
      }
    });

    test('nothing changes before nextChangeAt', () => {
      const answer = (now: number) =>
        [publishedKeys(lastSet, now, times), keptKeys(lastSet, now, times)].map(kids).join(';');
      const surprises = moments.filter((now) => {
        const next = nextChangeAt(lastSet, now, times) ?? now + hour;
        return next <= now || answer(next - 1) !== answer(now);
      });
      expect(surprises).toEqual([]);
    });

    test('dropping dead keys changes no result', () => {
      const answers = (set: KeySet, now: number) =>
        [publishedKeys(set, now, times), keptKeys(set, now, times)].map(kids).join(';');
      const later = moments.map((now) => now + random() * times.keptSeconds * 1000);
      const changed = later.filter(
        (now) => answers(withoutDeadKeys(lastSet, now, times), now) !== answers(lastSet, now),
      );
      expect(changed).toEqual([]);
    });
  },
);

test('nextChangeAt is undefined if no change is planned', () => {
  expect(nextChangeAt(firstKeySet(newKey('a'), 5), 5, times)).toBeUndefined();
});
