import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import {
  mostWrongCodes,
  type OneTimeToken,
  type OneTimeTokens,
} from '../../provider/ports/one-time-tokens.ts';
import { useStores } from './fixture.ts';

export interface OneTimeTokensFixture {
  store: OneTimeTokens;
  /** A second store over the same data, with its own connection. */
  another?(): OneTimeTokens | Promise<OneTimeTokens>;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);
const expiresAt = now + 1_000;

/** A token for an account, with a code. */
export function sampleOneTimeToken(fields: Partial<OneTimeToken> = {}): OneTimeToken {
  const accountId = newId('user');
  return {
    purpose: 'recover',
    subject: accountId,
    hash: randomToken(),
    accountId,
    tokenVersion: 3,
    address: 'jane@example.com',
    details: 'sealed',
    code: { flowHash: randomToken(), hash: 'right' },
    expiresAt,
    ...fields,
  };
}

/** Checks every sentence of `provider/ports/one-time-tokens.ts` on the store that `open` gives. */
export function oneTimeTokensContract(name: string, open: () => Promise<OneTimeTokensFixture>): void {
  describe(`${name} keeps the contract of OneTimeTokens`, () => {
    let store: OneTimeTokens;
    let other: OneTimeTokens;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });

    const added = async (fields: Partial<OneTimeToken> = {}): Promise<OneTimeToken> => {
      const token = sampleOneTimeToken(fields);
      await store.replace(token);
      return token;
    };
    const tenTimes = <T>(call: (on: OneTimeTokens, index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 10 }, (_, index) => call(index % 2 ? store : other, index)));
    const codeOf = ({ code }: OneTimeToken, hash = 'right') => ({ flowHash: code?.flowHash ?? '', hash });

    test('a token is found as it was stored, as often as it is looked up', async () => {
      const token = await added();
      expect(await other.find(token.hash, now)).toEqual(token);
      expect(await store.find(token.hash, now)).toEqual(token);
      expect(await store.find('another hash', now)).toBeUndefined();
    });

    test('a token for an address without an account, with a link only', async () => {
      const token = await added({
        subject: 'jane@example.com',
        accountId: undefined,
        tokenVersion: undefined,
        details: undefined,
        code: undefined,
      });
      expect(await other.find(token.hash, now)).toEqual(token);
      expect(await other.spend(token.hash, now)).toBe(true);
    });

    test('a token replaces the earlier one of its purpose and subject, and no other', async () => {
      const first = await added();
      const { subject } = first;
      const undo = await added({ subject, purpose: 'undo-address' });
      const second = await added({ subject });
      expect(await other.find(first.hash, now)).toBeUndefined();
      expect(await other.spend(first.hash, now)).toBe(false);
      expect(await other.tryCode(codeOf(first), now)).toBeUndefined();
      expect(await other.find(second.hash, now)).toEqual(second);
      expect(await other.find(undo.hash, now)).toEqual(undo);
    });

    test('after parallel replacements exactly one token is left', async () => {
      const tokens = Array.from({ length: 10 }, () => sampleOneTimeToken({ subject: 'one subject' }));
      await tenTimes((on, index) => on.replace(tokens[index] as OneTimeToken));
      const found = await Promise.all(tokens.map(({ hash }) => store.find(hash, now)));
      expect(found.filter((token) => token !== undefined)).toHaveLength(1);
    });

    test('of parallel spends exactly one wins, and nothing is left', async () => {
      const token = await added();
      const spent = await tenTimes((on) => on.spend(token.hash, now));
      expect(spent.filter((won) => won)).toHaveLength(1);
      expect(await store.find(token.hash, now)).toBeUndefined();
      expect(await store.tryCode(codeOf(token), now)).toBeUndefined();
    });

    test('an expired token is not found and not spent, and its code is refused', async () => {
      const token = await added();
      expect(await store.find(token.hash, expiresAt - 1)).toEqual(token);
      expect(await store.find(token.hash, expiresAt)).toBeUndefined();
      expect(await store.tryCode(codeOf(token), expiresAt)).toBeUndefined();
      expect(await store.spend(token.hash, expiresAt)).toBe(false);
      expect(await store.spend(token.hash, expiresAt - 1)).toBe(true);
    });

    test('the right code gives the token again and again, and spends nothing', async () => {
      const token = await added();
      for (let time = 0; time <= mostWrongCodes; time++)
        expect(await other.tryCode(codeOf(token), now)).toEqual(token);
      expect(await store.find(token.hash, now)).toEqual(token);
    });

    test('a code counts only together with the flow that asked for it', async () => {
      const [token, another] = [await added(), await added()];
      const foreign = { flowHash: codeOf(another).flowHash, hash: 'wrong' };
      for (let time = 0; time <= mostWrongCodes; time++) await store.tryCode(foreign, now);
      expect(await store.tryCode(codeOf(another), now)).toBeUndefined();
      expect(await store.tryCode({ flowHash: 'no flow', hash: 'right' }, now)).toBeUndefined();
      expect(await store.tryCode(codeOf(token), now)).toEqual(token);
    });

    test('after the last wrong code the right one is refused, and the link is not affected', async () => {
      const token = await added();
      for (let time = 1; time < mostWrongCodes; time++) await store.tryCode(codeOf(token, 'wrong'), now);
      expect(await other.tryCode(codeOf(token), now)).toEqual(token);
      expect(await other.tryCode(codeOf(token, 'wrong'), now)).toBeUndefined();
      expect(await store.tryCode(codeOf(token), now)).toBeUndefined();
      expect(await store.find(token.hash, now)).toEqual(token);
      expect(await store.spend(token.hash, now)).toBe(true);
    });

    test('parallel guesses get no more tries', async () => {
      const token = await added();
      await tenTimes((on, index) => on.tryCode(codeOf(token, `guess ${index}`), now));
      expect(await store.tryCode(codeOf(token), now)).toBeUndefined();
    });

    test('a new token has all its tries', async () => {
      const { subject } = await added();
      const token = await added({ subject });
      for (let time = 0; time < mostWrongCodes; time++) await store.tryCode(codeOf(token, 'wrong'), now);
      const next = await added({ subject });
      expect(await store.tryCode(codeOf(next), now)).toEqual(next);
    });

    test('a removed token is gone', async () => {
      const token = await added();
      await store.remove('invite', token.subject);
      expect(await store.find(token.hash, now)).toEqual(token);
      await other.remove(token.purpose, token.subject);
      expect(await store.find(token.hash, now)).toBeUndefined();
      await other.remove(token.purpose, token.subject);
    });
  });
}
