import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { Outbox } from '../../provider/ports/outbox.ts';
import {
  keptSignInMs,
  keptSignIns,
  type RecentSignIn,
  type SignInHistory,
} from '../../provider/ports/sign-in-history.ts';
import { useFixture } from './fixture.ts';
import { sampleEvent } from './outbox.ts';

export interface SignInHistoryFixture {
  store: SignInHistory;
  /** Over the same data. */
  outbox: Outbox;
  /** The number of rows of an account, also of those that are not shown. */
  count(accountId: string): Promise<number>;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);

export const sampleSignIn = (fields: Partial<RecentSignIn> = {}): RecentSignIn => ({
  accountId: newId('user'),
  at,
  clientId: 'web',
  amr: ['pwd', 'otp', 'mfa'],
  ip: '192.0.2.1',
  userAgent: 'Mozilla/5.0 "ü"',
  ...fields,
});

/** Checks every sentence of `provider/ports/sign-in-history.ts` on the store that `open` gives. */
export function signInHistoryContract(name: string, open: () => Promise<SignInHistoryFixture>): void {
  describe(`${name} keeps the contract of SignInHistory`, () => {
    const fixture = useFixture(open);
    const signedIn = async (fields: Partial<RecentSignIn> = {}): Promise<RecentSignIn> => {
      const signIn = sampleSignIn(fields);
      await fixture().outbox.append(sampleEvent({ subject: signIn.accountId }), signIn);
      return signIn;
    };

    test('a sign-in is listed as it was appended with its event, for its account only', async () => {
      const signIn = await signedIn();
      const other = await signedIn({ ip: undefined, userAgent: undefined, amr: [] });
      expect(await fixture().store.list(signIn.accountId, at)).toEqual([signIn]);
      expect(await fixture().store.list(other.accountId, at)).toEqual([other]);
      expect(await fixture().store.list(newId('user'), at)).toEqual([]);
    });

    test('an event without a sign-in adds none, and an event that is appended again adds none', async () => {
      const signIn = sampleSignIn();
      const event = sampleEvent({ subject: signIn.accountId });
      await fixture().outbox.append(sampleEvent({ subject: signIn.accountId }));
      await fixture().outbox.append(event, signIn);
      await fixture().outbox.append(event, signIn);
      expect(await fixture().store.list(signIn.accountId, at)).toEqual([signIn]);
    });

    test('the newest are listed first, and older ones are deleted when there are too many', async () => {
      const { accountId } = await signedIn();
      for (let number = 1; number <= keptSignIns + 5; number += 1)
        await signedIn({ accountId, at: at + number });
      const listed = await fixture().store.list(accountId, at);
      expect(listed.map((signIn) => signIn.at - at)).toEqual(
        Array.from({ length: keptSignIns }, (_, index) => keptSignIns + 5 - index),
      );
      expect(await fixture().count(accountId)).toBe(keptSignIns);
    });

    test('parallel sign-ins of one account wait for nothing and leave few rows', async () => {
      const { accountId } = await signedIn();
      await Promise.all(Array.from({ length: 50 }, () => signedIn({ accountId })));
      await signedIn({ accountId });
      expect(await fixture().store.list(accountId, at)).toHaveLength(keptSignIns);
      expect(await fixture().count(accountId)).toBe(keptSignIns);
    });

    test('an old sign-in is not listed', async () => {
      const { accountId } = await signedIn();
      expect(await fixture().store.list(accountId, at + keptSignInMs - 1)).toHaveLength(1);
      expect(await fixture().store.list(accountId, at + keptSignInMs)).toEqual([]);
    });
  });
}
