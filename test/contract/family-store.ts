import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { Family, FamilyStore, Rotation, StoredResponse } from '../../provider/ports/family-store.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { useStores } from './fixture.ts';

export interface FamilyStoreFixture {
  store: FamilyStore;
  /** The clock that the store uses. It starts near the real time. */
  clock: ManualClock;
  /** A second store over the same data, with its own connection. */
  another?(): FamilyStore | Promise<FamilyStore>;
  close(): Promise<void>;
}

type Answered = Rotation & { storedResponse: StoredResponse };

const minute = 60_000;

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** Checks every sentence of `provider/ports/family-store.ts` on the store that `open` gives. */
export function familyStoreContract(name: string, open: () => Promise<FamilyStoreFixture>): void {
  describe(`${name} keeps the contract of FamilyStore`, () => {
    let store: FamilyStore;
    let other: FamilyStore;
    let clock: ManualClock;

    useStores(open, (fixture, second) => {
      ({ store, clock } = fixture);
      other = second;
    });

    const newFamily = (changes: Partial<Family> = {}): Family => ({
      id: newId('fam'),
      accountId: newId('user'),
      clientId: 'client one/ü',
      currentHash: randomToken(),
      payload: randomToken(),
      expiresAt: clock.now() + minute,
      ...changes,
    });
    const successor = (changes: Partial<Answered> = {}): Answered => ({
      hash: randomToken(),
      payload: randomToken(),
      expiresAt: clock.now() + minute,
      storedResponse: { sealed: randomToken(), until: clock.now() + 10_000 },
      ...changes,
    });
    const opened = async (changes: Partial<Family> = {}): Promise<Family> => {
      const family = newFamily(changes);
      expect(await store.open(family)).toBe(true);
      return family;
    };
    const either = (index: number) => (index % 2 === 0 ? store : other);

    describe('open and find', () => {
      test('return the opened family through any connection', async () => {
        const family = await opened();
        expect(await other.find(family.id)).toEqual(family);
        expect(await store.find(newId('fam'))).toBeUndefined();
      });

      test('refuse an existing family and do not change it', async () => {
        const family = await opened();
        expect(await other.open(newFamily({ id: family.id }))).toBe(false);
        expect(await store.find(family.id)).toEqual(family);
      });

      test('succeed for exactly one of 100 parallel calls', async () => {
        const id = newId('fam');
        const families = Array.from({ length: 100 }, () => newFamily({ id }));
        const won = await Promise.all(families.map((family, index) => either(index).open(family)));
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.find(id)).toEqual(families[won.indexOf(true)]);
      });

      test('accept any base64url text as an id', async () => {
        for (const id of ['-', '_', 'A', 'a', '__proto__', 'x'.repeat(128)]) {
          const family = await opened({ id });
          expect(await store.find(id)).toEqual(family);
          await store.end(id, clock.now());
        }
      });
    });

    describe('rotate', () => {
      test('stores the successor and its answer, and drops the answer before', async () => {
        const family = await opened();
        const next = successor({ expiresAt: clock.now() + 2 * minute });
        expect(await store.rotate(family.id, family.currentHash, next)).toBe(true);
        const { accountId, clientId, id } = family;
        expect(await other.find(id)).toEqual({
          id,
          accountId,
          clientId,
          currentHash: next.hash,
          payload: next.payload,
          expiresAt: next.expiresAt,
          storedResponse: next.storedResponse.sealed,
        });
        const last = successor();
        expect(await other.rotate(id, next.hash, last)).toBe(true);
        expect((await store.find(id))?.storedResponse).toBe(last.storedResponse.sealed);
      });

      test('returns the answer until it expires, and keeps the family afterwards', async () => {
        const family = await opened();
        const next = successor();
        await store.rotate(family.id, family.currentHash, next);
        clock.advance(9_999);
        expect((await other.find(family.id))?.storedResponse).toBe(next.storedResponse.sealed);
        clock.advance(1);
        expect(await other.find(family.id)).toEqual({
          ...family,
          currentHash: next.hash,
          payload: next.payload,
          expiresAt: next.expiresAt,
        });
      });

      test('accepts an answer that has already expired', async () => {
        const family = await opened();
        const over = { sealed: randomToken(), until: clock.now() };
        expect(await store.rotate(family.id, family.currentHash, successor({ storedResponse: over }))).toBe(
          true,
        );
        expect(await store.find(family.id)).not.toHaveProperty('storedResponse');
      });

      test('without an answer deletes the one before, and none is found by a clock that is behind', async () => {
        const family = await opened();
        const next = successor();
        await store.rotate(family.id, family.currentHash, next);
        const { storedResponse: _, ...silent } = successor();
        expect(await store.rotate(family.id, next.hash, silent)).toBe(true);
        clock.advance(-1000);
        expect(await other.find(family.id)).toEqual({
          ...family,
          currentHash: silent.hash,
          payload: silent.payload,
          expiresAt: silent.expiresAt,
        });
      });

      test('changes nothing if the given hash is not the current one', async () => {
        const family = await opened();
        const next = successor();
        expect(await store.rotate(family.id, randomToken(), successor())).toBe(false);
        expect(await store.find(family.id)).toEqual(family);
        await store.rotate(family.id, family.currentHash, next);
        expect(await store.rotate(family.id, family.currentHash, successor())).toBe(false);
        expect((await store.find(family.id))?.currentHash).toBe(next.hash);
        expect(await store.rotate(newId('fam'), family.currentHash, successor())).toBe(false);
      });

      test('succeeds for exactly one of 100 parallel calls, whose successor is then current', async () => {
        const family = await opened();
        const successors = Array.from({ length: 100 }, () => successor());
        const won = await Promise.all(
          successors.map((next, index) => either(index).rotate(family.id, family.currentHash, next)),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        const winner = successors[won.indexOf(true)];
        expect(await store.find(family.id)).toMatchObject({
          currentHash: winner?.hash,
          payload: winner?.payload,
          storedResponse: winner?.storedResponse.sealed,
        });
      });
    });

    describe('a family past its expiry', () => {
      test('is neither found nor rotated', async () => {
        const family = await opened();
        clock.advance(minute - 1);
        expect(await store.find(family.id)).toEqual(family);
        clock.advance(2);
        expect(await store.find(family.id)).toBeUndefined();
        expect(await store.rotate(family.id, family.currentHash, successor())).toBe(false);
        expect(await store.find(family.id)).toBeUndefined();
      });

      test('expires with its current token', async () => {
        const [longer, shorter] = [await opened(), await opened()];
        await store.rotate(longer.id, longer.currentHash, successor({ expiresAt: clock.now() + 2 * minute }));
        await store.rotate(shorter.id, shorter.currentHash, successor({ expiresAt: clock.now() + 10 }));
        clock.advance(11);
        expect(await store.find(shorter.id)).toBeUndefined();
        clock.advance(minute);
        expect(await store.find(longer.id)).toBeDefined();
      });
    });

    describe('end', () => {
      const expectEnded = async (family: Family, hash: string) => {
        expect(await other.find(family.id)).toBeUndefined();
        expect(await other.rotate(family.id, hash, successor())).toBe(false);
        expect(await other.open(family)).toBe(false);
        expect(await other.find(family.id)).toBeUndefined();
      };

      test('ends a family, and no other', async () => {
        const [family, kept] = [await opened(), await opened()];
        await store.end(family.id, clock.now() + minute);
        await expectEnded(family, family.currentHash);
        expect(await store.find(kept.id)).toEqual(kept);
      });

      test('prevents a later open of a family that did not exist', async () => {
        const family = newFamily();
        await store.end(family.id, clock.now() + minute);
        await expectEnded(family, family.currentHash);
      });

      test('holds until the latest time given', async () => {
        const family = await opened();
        await store.end(family.id, clock.now() + 3 * minute);
        await store.end(family.id, clock.now() + minute);
        clock.advance(3 * minute - 1);
        await expectEnded(newFamily({ id: family.id }), family.currentHash);
        clock.advance(2);
        await opened({ id: family.id });
      });

      test('deletes the answer, also for a family that is opened again', async () => {
        const family = await opened();
        await store.rotate(
          family.id,
          family.currentHash,
          successor({ storedResponse: { sealed: 'a', until: clock.now() + 3 * minute } }),
        );
        await other.end(family.id, clock.now() + minute);
        await expectEnded(family, family.currentHash);
        clock.advance(minute + 1);
        const again = await opened({ id: family.id });
        expect(await store.find(family.id)).toEqual(again);
      });

      test('takes effect in every race with open and rotate', async () => {
        await times(30, async (index) => {
          const [fresh, existing, next] = [newFamily(), await opened(), successor()];
          const until = clock.now() + minute;
          await Promise.all([
            either(index).open(fresh),
            either(index + 1).end(fresh.id, until),
            either(index).rotate(existing.id, existing.currentHash, next),
            either(index + 1).end(existing.id, until),
          ]);
          await expectEnded(fresh, fresh.currentHash);
          await expectEnded(existing, next.hash);
          await expectEnded(existing, existing.currentHash);
        });
      });
    });
  });
}
