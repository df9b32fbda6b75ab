import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { SecondFactors, TotpFactor } from '../../provider/ports/second-factors.ts';
import { useStores } from './fixture.ts';

export interface SecondFactorsFixture {
  store: SecondFactors;
  /** A second store over the same data, with its own connection. */
  another?(): SecondFactors | Promise<SecondFactors>;
  close(): Promise<void>;
}

const wins = (results: readonly boolean[]) => results.filter((won) => won).length;

/** Checks every sentence of `provider/ports/second-factors.ts` on the store that `open` gives. */
export function secondFactorsContract(name: string, open: () => Promise<SecondFactorsFixture>): void {
  describe(`${name} keeps the contract of SecondFactors`, () => {
    let store: SecondFactors;
    let other: SecondFactors;
    let accountId: string;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });
    beforeEach(() => {
      accountId = newId('user');
    });

    const sample = (): TotpFactor => ({
      id: newId('totp'),
      sealedSecret: 'sealed',
      lastStep: 100,
      uses: 0,
      addedAt: Date.UTC(2026, 0, 1),
      hasApp: true,
    });
    const added = async (): Promise<TotpFactor> => {
      const factor = sample();
      expect(await store.add(accountId, factor)).toBe(true);
      return factor;
    };
    const parallel = <T>(call: (on: SecondFactors, index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 10 }, (_, index) => call(index % 2 ? store : other, index)));

    test('a factor that was added is found, with no recovery codes', async () => {
      const factor = await added();
      expect(await other.find(accountId)).toEqual({ ...factor, recoveryCodes: 0 });
      expect(await store.find(newId('user'))).toBeUndefined();
    });

    test('an account has one factor: of parallel adds exactly one wins', async () => {
      expect(wins(await parallel((on) => on.add(accountId, sample())))).toBe(1);
      expect(await store.add(accountId, sample())).toBe(false);
    });

    test('a used step is stored with the secret as it was sealed again', async () => {
      const factor = await added();
      expect(await store.useStep(accountId, factor, 101, 'sealed again')).toBe(true);
      expect(await other.find(accountId)).toMatchObject({
        lastStep: 101,
        uses: 1,
        sealedSecret: 'sealed again',
      });
    });

    test('a step is used once: of parallel calls exactly one wins', async () => {
      const factor = await added();
      expect(wins(await parallel((on) => on.useStep(accountId, factor, 101, 'sealed')))).toBe(1);
      expect(await store.find(accountId)).toMatchObject({ uses: 1 });
    });

    test('a step that is not later than the last one changes nothing', async () => {
      const factor = await added();
      for (const step of [99, 100]) expect(await store.useStep(accountId, factor, step, 'other')).toBe(false);
      expect(await store.find(accountId)).toEqual({ ...factor, recoveryCodes: 0 });
    });

    test('a state that was used once is refused, also for another step and for a recovery code', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['one']);
      expect(await store.useStep(accountId, factor, 101, 'sealed')).toBe(true);
      expect(await other.useStep(accountId, factor, 102, 'sealed')).toBe(false);
      expect(await other.useRecoveryCode(accountId, factor, 'one')).toBe(false);
    });

    test('of parallel uses of steps and recovery codes with one state exactly one wins', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['0', '2', '4', '6', '8']);
      const results = await parallel((on, index) =>
        index % 2
          ? on.useStep(accountId, factor, 100 + index, 'sealed')
          : on.useRecoveryCode(accountId, factor, String(index)),
      );
      expect(wins(results)).toBe(1);
    });

    test('a factor that was replaced takes no write for the old one', async () => {
      const old = await added();
      await store.remove(accountId);
      await added();
      expect(await store.useStep(accountId, old, 200, 'sealed')).toBe(false);
      expect(await store.replaceRecoveryCodes(accountId, old.id, ['one'])).toBe(false);
    });

    test('a recovery code is used once and is deleted then', async () => {
      const factor = await added();
      expect(await store.replaceRecoveryCodes(accountId, factor.id, ['one', 'two'])).toBe(true);
      expect(await store.useRecoveryCode(accountId, factor, 'three')).toBe(false);
      expect(await store.useRecoveryCode(accountId, factor, 'one')).toBe(true);
      expect(await other.find(accountId)).toMatchObject({ recoveryCodes: 1, uses: 1, lastStep: 100 });
      expect(await store.useRecoveryCode(accountId, { ...factor, uses: 1 }, 'one')).toBe(false);
    });

    test('new recovery codes replace the old ones', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['one', 'two']);
      await store.replaceRecoveryCodes(accountId, factor.id, ['three']);
      expect(await store.useRecoveryCode(accountId, factor, 'one')).toBe(false);
      expect(await store.find(accountId)).toMatchObject({ recoveryCodes: 1, uses: 0 });
    });

    test('an app replaces a row without one, its recovery codes and its state, and no other row does', async () => {
      const row = { ...sample(), hasApp: false };
      expect(wins(await parallel((on) => on.add(accountId, row)))).toBe(1);
      await store.replaceRecoveryCodes(accountId, row.id, ['one']);
      expect(await store.useStep(accountId, row, 101, 'sealed')).toBe(false);
      const factor = sample();
      expect(wins(await parallel((on) => on.add(accountId, factor)))).toBe(1);
      expect(await store.find(accountId)).toEqual({ ...factor, uses: 1, recoveryCodes: 0 });
      expect(await store.add(accountId, row)).toBe(false);
    });

    test('a touch raises the uses, so an earlier state is refused', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['one']);
      const states = await parallel((on) => on.touch(accountId));
      expect(new Set(states.map((state) => state?.uses)).size).toBe(10);
      expect(await store.find(accountId)).toEqual({ ...factor, uses: 10, recoveryCodes: 1 });
      expect(await store.useStep(accountId, factor, 101, 'sealed')).toBe(false);
      expect(await store.useRecoveryCode(accountId, factor, 'one')).toBe(false);
      expect(await store.touch(accountId, 'sealed again')).toMatchObject({ sealedSecret: 'sealed again' });
      expect(await store.touch(newId('user'))).toBeUndefined();
    });

    test('an app that is removed alone leaves the recovery codes and takes no further step', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['one']);
      expect(await store.removeApp(accountId)).toBe(true);
      expect(await store.removeApp(accountId)).toBe(false);
      const state = { ...factor, hasApp: false, uses: 1 };
      expect(await other.find(accountId)).toEqual({ ...state, recoveryCodes: 1 });
      expect(await store.useStep(accountId, state, 101, 'sealed')).toBe(false);
      expect(await store.useRecoveryCode(accountId, state, 'one')).toBe(true);
    });

    test('a removed factor leaves nothing', async () => {
      const factor = await added();
      await store.replaceRecoveryCodes(accountId, factor.id, ['one']);
      expect(await other.remove(accountId)).toBe(true);
      expect(await store.remove(accountId)).toBe(false);
      expect(await store.find(accountId)).toBeUndefined();
      expect(await store.useRecoveryCode(accountId, factor, 'one')).toBe(false);
    });
  });
}
