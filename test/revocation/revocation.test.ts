import { describe, expect, test } from '@jest/globals';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { Revocation } from '../../provider/revocation/revocation.ts';
import { waitFor } from '../support/wait-for.ts';
import { createRevocationWorld, family, lifetimes } from './revocation-world.ts';

const { accessTokenSeconds, refreshTokenSeconds, tombstoneSeconds, sessionSeconds } = lifetimes;

const token = { jti: 'j1', family: 'fam_1', consent: 'c1', sid: 's1', clientId: 'web' };

describe('revoking', () => {
  test.each<[string, (revocation: Revocation) => Promise<void>, Partial<typeof token>]>([
    ['a token', (revocation) => revocation.revokeToken('j1'), { jti: 'other' }],
    ['a consent', (revocation) => revocation.endConsent('c1'), { consent: 'other' }],
    ['a session at a client', (revocation) => revocation.endSessionAtClient('s1'), { sid: 'other' }],
  ])('%s ends its tokens and no others, for as long as they could live', async (_, revoke, other) => {
    const { clock, revocation } = createRevocationWorld();
    await expect(revocation.isRevoked(token)).resolves.toBe(false);
    await revoke(revocation);
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
    await expect(revocation.isRevoked({ ...token, ...other })).resolves.toBe(false);
    clock.advance(accessTokenSeconds * 1000);
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
    clock.advance(60_000);
    await expect(revocation.isRevoked(token)).resolves.toBe(false);
  });

  test('names don’t reach over into other kinds', async () => {
    const { revocation } = createRevocationWorld();
    await revocation.revokeToken('same');
    const marks = { jti: 'j', family: 'same', consent: 'same', sid: 'same', clientId: 'same' };
    await expect(revocation.isRevoked(marks)).resolves.toBe(false);
  });

  test('a token without family and session is asked for by what it has, in one question', async () => {
    const questions: RevocationKey[][] = [];
    const revocation = createRevocationWorld().process({
      anyRevoked: async (keys) => {
        questions.push(keys);
        return false;
      },
    });
    await revocation.isRevoked({ jti: 'j1', clientId: 'service' });
    await revocation.isRevoked({ ...token, clientTokenVersion: 3 });
    expect(questions).toEqual([
      ['jti:j1', 'client:service@0'],
      ['jti:j1', 'client:web@3', 'family:fam_1', 'consent:c1', 'sid:s1'],
    ]);
  });
});

describe('ending a family', () => {
  const answer = { sealed: 'a response', until: 0 };

  test('reads the family once, or not at all when the caller has read it', async () => {
    const { clock, families, index, process } = createRevocationWorld();
    const stored = family(clock.now() + 86_400_000);
    await families.open(stored);
    await index.put('user_john', { kind: 'family', id: 'fam_1', details: '', expiresAt: stored.expiresAt });
    let reads = 0;
    const counted = {
      find: (id: string) => {
        reads += 1;
        return families.find(id);
      },
      end: (id: string, until: number) => families.end(id, until),
    };
    await process({ families: counted }).endFamily('fam_1', { family: stored });
    expect(reads).toBe(0);
    await process({ families: counted }).endFamily('fam_1', { family: null });
    expect(reads).toBe(0);
    await process({ families: counted }).endFamily('fam_1');
    expect(reads).toBe(1);
    await waitFor(async () => (await index.list('user_john')).length === 0);
  });

  test('lets it never refresh or open again', async () => {
    const { clock, families, revocation } = createRevocationWorld();
    await families.open(family(clock.now() + 86_400_000));
    await revocation.endFamily('fam_1');
    const successor = {
      hash: 'h2',
      payload: 'sealed',
      expiresAt: clock.now() + 86_400_000,
      storedResponse: answer,
    };
    await expect(families.rotate('fam_1', 'h1', successor)).resolves.toBe(false);
    clock.advance(tombstoneSeconds * 1000 - 1);
    await expect(families.open(family(clock.now() + 1000))).resolves.toBe(false);
  });

  test.each<[what: string, expiresInSeconds: number | undefined, untilSeconds: number]>([
    ['as long as a refresh under way could make a token that lives', 60, refreshTokenSeconds],
    ['as long as it would have lived, where that is longer', 60 * 86_400, 60 * 86_400],
    ['as long as any could live, where it is not known', undefined, tombstoneSeconds],
  ])('forbids its tokens %s, whatever is found of it later', async (_, expiresInSeconds, untilSeconds) => {
    const { clock, families, revocation } = createRevocationWorld();
    if (expiresInSeconds) await families.open(family(clock.now() + expiresInSeconds * 1000));
    await revocation.endFamily('fam_1');
    await expect(revocation.isRevoked({ ...token, family: 'other' })).resolves.toBe(false);
    clock.advance(untilSeconds * 1000);
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
    clock.advance(60_000);
    await expect(revocation.isRevoked(token)).resolves.toBe(false);
  });

  test('leaves it to be ended by who asks again, when the denylist can’t be reached', async () => {
    const { clock, denylist, families, process } = createRevocationWorld();
    await families.open(family(clock.now() + 86_400_000));
    const failing = process({ unitOfWork: { run: () => Promise.reject(new Error('unreachable')) } });
    await expect(failing.endFamily('fam_1')).rejects.toThrow('unreachable');
    expect(await families.find('fam_1')).toBeDefined();
    await process().endFamily('fam_1');
    expect(await families.find('fam_1')).toBeUndefined();
    expect(await denylist.anyRevoked(['family:fam_1'])).toBe(true);
  });

  test('ends its access tokens even when the families can’t be reached, and says so', async () => {
    const { process } = createRevocationWorld();
    const away = () => Promise.reject(new Error('unreachable'));
    for (const find of [away, async () => undefined]) {
      const revocation = process({ families: { find, end: away } });
      await expect(revocation.endFamily('fam_1')).rejects.toThrow('unreachable');
      await expect(revocation.isRevoked(token)).resolves.toBe(true);
    }
  });

  test('leaves it standing where it could not be looked for: who asks again still knows whose it was', async () => {
    const { clock, denylist, families, process } = createRevocationWorld();
    await families.open(family(clock.now() + 86_400_000));
    const away = () => Promise.reject(new Error('unreachable'));
    const blind = { find: away, end: (id: string, until: number) => families.end(id, until) };
    await expect(process({ families: blind }).endFamily('fam_1')).rejects.toThrow('unreachable');
    expect(await denylist.anyRevoked(['family:fam_1'])).toBe(true);
    expect(await families.find('fam_1')).toMatchObject({ accountId: 'user_john' });
  });
});

test.each([
  ['as long as any may live', 0, sessionSeconds],
  ['as long as it would have lived, where that is longer', 2 * sessionSeconds, 2 * sessionSeconds],
])('a session that was ended is forbidden %s', async (_, expiresInSeconds, untilSeconds) => {
  const { clock, denylist, revocation } = createRevocationWorld();
  const expiresAt = clock.now() + expiresInSeconds * 1000;
  await revocation.endSession({ uid: 'uid', accountId: 'user_john', sessionId: 'handle', expiresAt });
  expect(await denylist.anyRevoked(['session:other', 'family:uid', 'sid:uid'])).toBe(false);
  clock.advance(untilSeconds * 1000);
  expect(await denylist.anyRevoked(['session:uid'])).toBe(true);
  clock.advance(60_000);
  expect(await denylist.anyRevoked(['session:uid'])).toBe(false);
});

test('signing out of a client while the session goes on is remembered for as long as the session may live', async () => {
  const { clock, revocation } = createRevocationWorld();
  expect(await revocation.isSignedOut('s1')).toBe(false);
  await revocation.signOutOfClient('s1');
  clock.advance(sessionSeconds * 1000);
  expect(await revocation.isSignedOut('s1')).toBe(true);
  expect(await revocation.isRevoked({ jti: 'j1', clientId: 'app', sid: 's1' })).toBe(true);
});
