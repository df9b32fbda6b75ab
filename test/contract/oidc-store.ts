import { describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import type { Artifact, OidcStore } from '../../provider/ports/oidc-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';
import { describeIndexes } from './oidc-store-indexes.ts';

export interface OidcStoreFixture {
  store: OidcStore;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second store over the same data, with its own connection. */
  another?(): OidcStore | Promise<OidcStore>;
  close(): Promise<void>;
}

const minute = 60_000;
const code = 'AuthorizationCode';
const session = 'Session';

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** Checks every sentence of `provider/ports/oidc-store.ts` on the store that `open` gives. */
export function oidcStoreContract(name: string, open: () => Promise<OidcStoreFixture>): void {
  describe(`${name} keeps the contract of OidcStore`, () => {
    let store: OidcStore;
    let other: OidcStore;
    let clock: ManualClock;

    useStores(open, (fixture, second) => {
      ({ store, clock } = fixture);
      other = second;
    });

    const artifact = (changes: Partial<Artifact> = {}): Artifact => ({
      payload: randomToken(),
      expiresAt: clock.now() + minute,
      ...changes,
    });
    const either = (index: number) => (index % 2 === 0 ? store : other);

    describe('put and find', () => {
      test('return the artifact through any connection', async () => {
        const [key, indexKey] = [randomToken(), randomToken()];
        const put = artifact({ indexKey });
        await store.put(session, key, put);
        expect(await other.find(session, key)).toEqual({ key, ...put });
      });

      test('return nothing for an unknown key, or the same key of another kind', async () => {
        const key = randomToken();
        await store.put(code, key, artifact());
        expect(await store.find(code, randomToken())).toBeUndefined();
        expect(await store.find(session, key)).toBeUndefined();
      });

      test('replace payload, index key and expiry', async () => {
        const key = randomToken();
        await store.put(session, key, artifact({ indexKey: randomToken() }));
        const second = artifact({ indexKey: randomToken(), expiresAt: clock.now() + 2 * minute });
        await store.put(session, key, second);
        expect(await store.find(session, key)).toEqual({ key, ...second });
        const third = artifact({ expiresAt: clock.now() + 10 });
        await store.put(session, key, third);
        expect(await store.find(session, key)).toEqual({ key, ...third });
      });

      test('accept any base64url text as a key, and any text as a payload', async () => {
        const keys = [
          '-',
          '_',
          'A',
          'a',
          '0',
          '-_-',
          '__proto__',
          'constructor',
          'x'.repeat(128),
          'X'.repeat(128),
        ];
        const payloads = new Map(
          keys.map((key, index) => [key, `${index} "'{}\\ £€😀\n${'p'.repeat(40_000)}`]),
        );
        for (const [key, payload] of payloads)
          await store.put('Interaction', key, artifact({ payload, indexKey: key }));
        for (const [key, payload] of payloads) {
          expect(await store.find('Interaction', key)).toMatchObject({ key, payload });
          expect(await store.findByIndex('Interaction', key)).toMatchObject({ key, payload });
        }
        for (const key of keys) await store.destroy('Interaction', key);
      });

      test('destroy removes only the given artifact', async () => {
        const [key, kept, indexKey] = [randomToken(), randomToken(), randomToken()];
        await store.put(session, key, artifact({ indexKey }));
        await store.put(session, kept, artifact());
        await store.destroy(session, key);
        await store.destroy(session, randomToken());
        expect(await other.find(session, key)).toBeUndefined();
        expect(await other.findByIndex(session, indexKey)).toBeUndefined();
        expect(await store.consume(session, key, clock.now(), 0)).toEqual({ outcome: 'missing' });
        expect(await store.find(session, kept)).toBeDefined();
      });
    });

    test('an expired artifact is not found by any look-up', async () => {
      const [key, indexKey] = [randomToken(), randomToken()];
      await store.put('DeviceCode', key, artifact({ indexKey }));
      clock.advance(minute - 1);
      expect(await store.find('DeviceCode', key)).toBeDefined();
      clock.advance(2);
      expect(await store.find('DeviceCode', key)).toBeUndefined();
      expect(await store.findByIndex('DeviceCode', indexKey)).toBeUndefined();
      expect(await store.consume('DeviceCode', key, clock.now(), 0)).toEqual({ outcome: 'missing' });
    });

    describe('consume', () => {
      test('succeeds once, and later calls get its time', async () => {
        const [key, at] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        expect((await store.find(code, key))?.consumedAt).toBeUndefined();
        expect(await store.consume(code, key, at, at + minute)).toEqual({ outcome: 'won' });
        clock.advance(5);
        expect(await other.consume(code, key, clock.now(), at + minute)).toEqual({
          outcome: 'lost',
          consumedAt: at,
        });
        expect(await other.find(code, key)).toMatchObject({ key, consumedAt: at });
        expect(await store.consume(code, randomToken(), at, at)).toEqual({ outcome: 'missing' });
      });

      test.each([code, session] as const)(
        'succeeds for exactly one of 100 parallel calls (%s)',
        async (kind) => {
          const [key, now] = [randomToken(), clock.now()];
          await store.put(kind, key, artifact({ indexKey: kind === session ? randomToken() : undefined }));
          const outcomes = await times(100, (index) =>
            either(index).consume(kind, key, now + index, now + minute),
          );
          const winner = outcomes.findIndex(({ outcome }) => outcome === 'won');
          const losers = outcomes.filter((_, index) => index !== winner);
          expect(winner).not.toBe(-1);
          expect(losers).toEqual(Array(99).fill({ outcome: 'lost', consumedAt: now + winner }));
        },
      );

      test('keeps the artifact until the given time, if that is after its expiry', async () => {
        const [key, at] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        await store.consume(code, key, at, at + 3 * minute);
        clock.advance(3 * minute - 1);
        expect(await store.find(code, key)).toMatchObject({ expiresAt: at + minute, consumedAt: at });
        expect(await store.consume(code, key, clock.now(), 0)).toEqual({ outcome: 'lost', consumedAt: at });
        clock.advance(2);
        expect(await store.consume(code, key, clock.now(), 0)).toEqual({ outcome: 'missing' });
      });

      test('never shortens the life of an artifact', async () => {
        const [key, at] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        await store.consume(code, key, at, at + 1);
        clock.advance(minute - 1);
        expect(await store.find(code, key)).toMatchObject({ consumedAt: at });
      });

      test('is not undone by a put, not even by one with an earlier expiry', async () => {
        const [key, at] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        await store.consume(code, key, at, at + 3 * minute);
        const payload = randomToken();
        await other.put(code, key, artifact({ payload, expiresAt: at + 10 }));
        expect(await store.find(code, key)).toMatchObject({ payload, consumedAt: at });
        clock.advance(minute);
        expect(await store.consume(code, key, clock.now(), 0)).toEqual({ outcome: 'lost', consumedAt: at });
      });

      test('is forgotten with the artifact, with or without a sweep', async () => {
        const [key, at] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        await store.consume(code, key, at, at + 2 * minute);
        clock.advance(2 * minute + 1);
        await store.put(code, key, artifact());
        expect((await store.find(code, key))?.consumedAt).toBeUndefined();
        expect(await store.consume(code, key, clock.now(), 0)).toEqual({ outcome: 'won' });
      });

      test('is not undone by parallel puts', async () => {
        const [key, now] = [randomToken(), clock.now()];
        await store.put(code, key, artifact());
        const race = await times(60, async (index) => {
          if (index % 3 !== 0) return either(index).put(code, key, artifact());
          return (await either(index).consume(code, key, now, now + minute)).outcome;
        });
        expect(race.filter((outcome) => outcome === 'won')).toHaveLength(1);
        expect(race.filter((outcome) => outcome === 'lost')).toHaveLength(19);
        expect(await store.find(code, key)).toMatchObject({ consumedAt: now });
      });
    });

    describe('putIfAbsent', () => {
      test('writes only if the key is free', async () => {
        const [key, first] = [randomToken(), artifact()];
        expect(await store.putIfAbsent('ReplayDetection', key, first)).toBe(true);
        expect(await other.putIfAbsent('ReplayDetection', key, artifact())).toBe(false);
        expect(await store.find('ReplayDetection', key)).toEqual({ key, ...first });
        await store.consume('ReplayDetection', key, clock.now(), 0);
        expect(await store.putIfAbsent('ReplayDetection', key, artifact())).toBe(false);
      });

      test('treats the key of an expired or destroyed artifact as free', async () => {
        const [key, now] = [randomToken(), clock.now()];
        await store.put('ReplayDetection', key, artifact());
        await store.consume('ReplayDetection', key, now, now);
        clock.advance(minute + 1);
        const second = artifact();
        expect(await store.putIfAbsent('ReplayDetection', key, second)).toBe(true);
        expect(await store.find('ReplayDetection', key)).toEqual({ key, ...second });
        await store.destroy('ReplayDetection', key);
        expect(await store.putIfAbsent('ReplayDetection', key, artifact())).toBe(true);
      });

      test('succeeds for exactly one of 100 parallel calls', async () => {
        const key = randomToken();
        const artifacts = Array.from({ length: 100 }, () => artifact());
        const won = await Promise.all(
          artifacts.map((one, index) => either(index).putIfAbsent('ReplayDetection', key, one)),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        const winner = artifacts[won.indexOf(true)];
        expect((await store.find('ReplayDetection', key))?.payload).toBe(winner?.payload);
      });
    });

    describeIndexes(() => ({ store, other, clock }));
  });
}
