import { describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import type { Limits, TriesRule } from '../../provider/ports/limits.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';

export interface LimitsFixture {
  store: Limits;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second store over the same data, with its own connection. */
  another?(): Limits | Promise<Limits>;
  close(): Promise<void>;
}

const second = 1000;
const hour = 3600 * second;
/** A bucket that allows ten takes at once and one more every six seconds. */
const bucket = { burst: 10, perSeconds: 60 };
const tries: TriesRule = {
  freeTries: 3,
  firstWaitSeconds: 2,
  longestWaitSeconds: 60,
  forgetFreeSeconds: 600,
  forgetSeconds: 7200,
};
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

/** Checks every sentence of `Limits` in `provider/ports/limits.ts` on the store that `open` gives. */
export function limitsContract(name: string, open: () => Promise<LimitsFixture>): void {
  describe(`${name} keeps the contract of Limits`, () => {
    let store: Limits;
    let other: Limits;
    let clock: ManualClock;

    useStores(open, (fixture, second) => {
      ({ store, clock } = fixture);
      other = second;
    });

    const either = (index: number) => (index % 2 === 0 ? store : other);
    /** Makes `count` takes one by one and returns the number of allowed ones. */
    const allowed = async (key: string, count: number) => {
      let sum = 0;
      for (let index = 0; index < count; index += 1)
        if ((await either(index).take(key, bucket)) === 0) sum += 1;
      return sum;
    };
    const fail = async (key: string, count: number) => {
      for (let index = 0; index < count; index += 1) {
        const { waitMs } = await either(index).attempt(key, tries);
        if (waitMs === 0) continue;
        clock.advance(waitMs);
        expect(await store.attempt(key, tries)).toMatchObject({ waitMs: 0 });
      }
    };
    const waitOf = async (key: string) => (await other.attempt(key, tries)).waitMs;

    test('a bucket allows its content, returns the wait for more, and fills evenly', async () => {
      const key = randomToken();
      expect(await allowed(key, 10)).toBe(10);
      for (const one of [store, other]) expect(await one.take(key, bucket)).toBe(6 * second);
      clock.advance(6 * second - 1);
      expect(await store.take(key, bucket)).toBe(1);
      clock.advance(1);
      expect(await allowed(key, 3)).toBe(1);
      clock.advance(18 * second);
      expect(await allowed(key, 5)).toBe(3);
      clock.advance(hour);
      expect(await allowed(key, 20)).toBe(10);
    });

    test('100 parallel takes are allowed up to the content of the bucket; other keys are independent', async () => {
      const [key, apart] = [randomToken(), randomToken()];
      const waits = await times(100, (index) => either(index).take(key, bucket));
      expect(waits.filter((wait) => wait === 0)).toHaveLength(10);
      for (const wait of waits.filter((each) => each > 0)) expect(wait).toBe(6 * second);
      expect(await store.take(apart, bucket)).toBe(0);
    });

    test('a returned take can be taken again, and a full bucket stays full', async () => {
      const key = randomToken();
      await allowed(key, 10);
      await times(2, () => other.giveBack(key, bucket));
      expect(await allowed(key, 5)).toBe(2);
      await times(15, (index) => either(index).giveBack(key, bucket));
      expect(await allowed(key, 20)).toBe(10);
      await store.giveBack(randomToken(), bucket);
    });

    test('after the free tries the waits double up to the longest; a refused try does not change them', async () => {
      const key = randomToken();
      for (let index = 0; index < 3; index += 1) expect(await waitOf(key)).toBe(0);
      for (const seconds of [2, 4, 8, 16, 32, 60, 60, 60]) {
        expect(await waitOf(key)).toBe(seconds * second);
        clock.advance(seconds * second - 1);
        for (const one of [store, other]) expect((await one.attempt(key, tries)).waitMs).toBe(1);
        clock.advance(1);
        expect(await waitOf(key)).toBe(0);
      }
    });

    test('exactly the free ones of 100 parallel tries are allowed', async () => {
      const key = randomToken();
      const verdicts = await times(100, (index) => either(index).attempt(key, tries));
      expect(verdicts.filter(({ waitMs }) => waitMs === 0)).toHaveLength(3);
      expect(verdicts.filter(({ waitMs }) => waitMs === 2 * second)).toHaveLength(97);
      clock.advance(2 * second);
      const next = await times(20, (index) => either(index).attempt(key, tries));
      expect(next.filter(({ waitMs }) => waitMs === 0)).toHaveLength(1);
    });

    test('free tries are forgotten earlier than tries with a wait', async () => {
      const [few, many] = [randomToken(), randomToken()];
      await fail(few, 2);
      clock.advance(600 * second - 1);
      expect(await waitOf(few)).toBe(0);
      expect(await waitOf(few)).toBe(2 * second);
      await fail(many, 2);
      clock.advance(600 * second);
      for (let index = 0; index < 3; index += 1) expect(await waitOf(many)).toBe(0);
      expect(await waitOf(many)).toBe(2 * second);
      clock.advance(7200 * second - 1);
      expect(await waitOf(many)).toBe(0);
      expect(await waitOf(many)).toBe(4 * second);
      clock.advance(7200 * second);
      for (let index = 0; index < 3; index += 1) expect(await waitOf(many)).toBe(0);
    });

    test('a withdrawn try does not count', async () => {
      const key = randomToken();
      await fail(key, 3);
      await times(2, (index) => either(index).withdraw(key));
      expect([await waitOf(key), await waitOf(key)]).toEqual([0, 0]);
      expect(await waitOf(key)).toBe(2 * second);
      await times(9, () => store.withdraw(key));
      for (let index = 0; index < 3; index += 1) expect(await waitOf(key)).toBe(0);
      expect(await waitOf(key)).toBe(2 * second);
      await store.withdraw(randomToken());
    });

    test('forgiven tries do not count, and the key is known until its time, despite later failed tries', async () => {
      const key = randomToken();
      expect(await store.attempt(key, tries)).toEqual({ waitMs: 0, knownFor: undefined });
      await fail(key, 5);
      await other.forgive(key, 0, 7200);
      for (const one of [store, other, store])
        expect(await one.attempt(key, tries)).toEqual({ waitMs: 0, knownFor: 0 });
      expect(await store.attempt(key, tries)).toEqual({ waitMs: 2 * second, knownFor: 0 });
      clock.advance(7200 * second - 1);
      await store.withdraw(key);
      expect(await other.attempt(key, tries)).toMatchObject({ knownFor: 0 });
      clock.advance(1);
      expect(await other.attempt(key, tries)).toMatchObject({ knownFor: undefined });
      await store.forgive(key, 1, 60);
      expect(await other.attempt(key, tries)).toEqual({ waitMs: 0, knownFor: 1 });
    });

    test('the version for which a key is known can be read without counting a try', async () => {
      const [key, tried] = [randomToken(), randomToken()];
      await fail(tried, 1);
      expect([await store.knownFor(key), await store.knownFor(tried)]).toEqual([undefined, undefined]);
      await store.forgive(key, 7, 60);
      for (const one of [store, other, store, other]) expect(await one.knownFor(key)).toBe(7);
      await fail(key, 3);
      expect(await waitOf(key)).toBe(2 * second);
      clock.advance(60 * second - 1);
      expect(await store.knownFor(key)).toBe(7);
      clock.advance(1);
      expect([await store.knownFor(key), await other.knownFor(key)]).toEqual([undefined, undefined]);
    });

    test('a key is known for the version of the last success; after one without a version, it is not known', async () => {
      const key = randomToken();
      await store.forgive(key, 3, 60);
      await other.forgive(key, 4, 60);
      for (const one of [store, other]) expect(await one.knownFor(key)).toBe(4);
      await fail(key, 2);
      await store.forgive(key, undefined, 60);
      expect(await other.knownFor(key)).toBeUndefined();
      for (let index = 0; index < 3; index += 1)
        expect(await store.attempt(key, tries)).toEqual({ waitMs: 0, knownFor: undefined });
    });

    test('entries of a clock that is an hour ahead cause no wait longer than the rule', async () => {
      const [taken, tried] = [randomToken(), randomToken()];
      clock.advance(hour);
      await allowed(taken, 10);
      await fail(tried, 4);
      clock.advance(-hour);
      expect(await store.take(taken, bucket)).toBe(6 * second);
      clock.advance(6 * second);
      expect(await other.take(taken, bucket)).toBe(0);
      expect(await waitOf(tried)).toBe(4 * second);
      clock.advance(4 * second);
      expect(await waitOf(tried)).toBe(0);
    });
  });
}
