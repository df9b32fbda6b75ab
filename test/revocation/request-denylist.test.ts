import { beforeEach, describe, expect, test } from '@jest/globals';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import { createRequestDenylist, type RequestDenylist } from '../../provider/revocation/request-denylist.ts';

let listed: RevocationKey[];
let questions: RevocationKey[][];
let denylist: RequestDenylist;
beforeEach(() => {
  listed = [];
  questions = [];
  denylist = createRequestDenylist({
    anyRevoked: async (keys) => {
      questions.push(keys);
      return keys.some((key) => listed.includes(key));
    },
    revoke: async (keys) => void listed.push(...keys),
    cacheEntries: async (keys) => void listed.push(...keys),
  });
});

const inRequest = <T>(work: () => Promise<T>) =>
  runInRequestScope({ requestId: 'r', clientAddress: undefined, userAgent: undefined }, work);

test('one question answers all later ones of the same request about the same keys', async () => {
  await inRequest(async () => {
    await denylist.preload(['jti:a', 'family:b', 'sid:c']);
    expect(await denylist.anyRevoked(['jti:a', 'family:b'])).toBe(false);
    expect(await denylist.anyRevoked(['sid:c'])).toBe(false);
  });
  expect(questions).toEqual([['jti:a', 'family:b', 'sid:c']]);
});

test('a key that was not asked for reaches the store', async () => {
  listed = ['sid:d'];
  await inRequest(async () => {
    await denylist.preload(['jti:a']);
    expect(await denylist.anyRevoked(['jti:a', 'sid:d'])).toBe(true);
  });
  expect(questions).toHaveLength(2);
});

test('when one key is listed, each later question is asked by itself', async () => {
  listed = ['family:b'];
  await inRequest(async () => {
    await denylist.preload(['jti:a', 'family:b']);
    expect(await denylist.anyRevoked(['jti:a'])).toBe(false);
    expect(await denylist.anyRevoked(['family:b'])).toBe(true);
  });
  expect(questions).toHaveLength(3);
});

test('answers are not reused in another request or outside of a request', async () => {
  await inRequest(() => denylist.preload(['jti:a']));
  listed = ['jti:a'];
  expect(await inRequest(() => denylist.anyRevoked(['jti:a']))).toBe(true);
  await denylist.preload(['jti:b']);
  listed = ['jti:b'];
  expect(await denylist.anyRevoked(['jti:b'])).toBe(true);
});

describe('a request sees its own revocations', () => {
  test.each<[string, (keys: RevocationKey[]) => Promise<void>]>([
    ['through the denylist', (keys) => denylist.revoke(keys, 0)],
    ['in a transaction that was committed', (keys) => denylist.cacheEntries(keys, 0)],
  ])('%s', async (_, revoke) => {
    await inRequest(async () => {
      await denylist.preload(['session:a']);
      await revoke(['session:a']);
      expect(await denylist.anyRevoked(['session:a'])).toBe(true);
    });
  });
});
