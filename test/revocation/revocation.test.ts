import { describe, expect, test } from '@jest/globals';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { Revocation } from '../../provider/revocation/revocation.ts';
import { waitFor } from '../support/wait-for.ts';
import { createRevocationWorld, family, lifetimes } from './revocation-world.ts';

const { accessTokenSeconds, refreshTokenSeconds, tombstoneSeconds, sessionSeconds } = lifetimes;

const token = { jti: 'j1', family: 'fam_1', consent: 'c1', sid: 's1', clientId: 'web' };

describe('a revocation', () => {
  test.each<[string, (revocation: Revocation) => Promise<void>, Partial<typeof token>]>([
    ['a token', (revocation) => revocation.revokeToken('j1'), { jti: 'other' }],
    ['a consent', (revocation) => revocation.endConsent('c1'), { consent: 'other' }],
    ['a session at a client', (revocation) => revocation.endSessionAtClient('s1'), { sid: 'other' }],
  ])('of %s ends its tokens and no others, for as long as they could live', async (_, revoke, other) => {
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

  test('affects only ids of the same kind', async () => {
    const { revocation } = createRevocationWorld();
    await revocation.revokeToken('same');
    const marks = { jti: 'j', family: 'same', consent: 'same', sid: 'same', clientId: 'same' };
    await expect(revocation.isRevoked(marks)).resolves.toBe(false);
  });

  test('is checked with one question about the ids that a token has', async () => {
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

  test('reads the family once, or not at all if the caller has read it', async () => {
    const { clock, families, index, process } = createRevocationWorld();
    const stored = family(clock.now() + 86_400_000);
    await families.open(stored);
    await index.put('user_john', {
      kind: 'family',
      id: 'fam_1',
      details: '',
      usedAt: 0,
      expiresAt: stored.expiresAt,
    });
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

  test('prevents every later refresh or open of the family', async () => {
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
    ['for the longest life of a token from a parallel refresh', 60, refreshTokenSeconds],
    ['for the rest of its life if that is longer', 60 * 86_400, 60 * 86_400],
    ['for the longest possible life if the family is unknown', undefined, tombstoneSeconds],
  ])('forbids its tokens %s', async (_, expiresInSeconds, untilSeconds) => {
    const { clock, families, revocation } = createRevocationWorld();
    if (expiresInSeconds) await families.open(family(clock.now() + expiresInSeconds * 1000));
    await revocation.endFamily('fam_1');
    await expect(revocation.isRevoked({ ...token, family: 'other' })).resolves.toBe(false);
    clock.advance(untilSeconds * 1000);
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
    clock.advance(60_000);
    await expect(revocation.isRevoked(token)).resolves.toBe(false);
  });

  test('changes nothing if the denylist can’t be reached, so a later call ends the family', async () => {
    const { clock, denylist, families, process } = createRevocationWorld();
    await families.open(family(clock.now() + 86_400_000));
    const failing = process({ unitOfWork: { run: () => Promise.reject(new Error('unreachable')) } });
    await expect(failing.endFamily('fam_1')).rejects.toThrow('unreachable');
    expect(await families.find('fam_1')).toBeDefined();
    await process().endFamily('fam_1');
    expect(await families.find('fam_1')).toBeUndefined();
    expect(await denylist.anyRevoked(['family:fam_1'])).toBe(true);
  });

  test('ends its access tokens and throws if the family store can’t be reached', async () => {
    const { process } = createRevocationWorld();
    const away = () => Promise.reject(new Error('unreachable'));
    for (const find of [away, async () => undefined]) {
      const revocation = process({ families: { find, end: away } });
      await expect(revocation.endFamily('fam_1')).rejects.toThrow('unreachable');
      await expect(revocation.isRevoked(token)).resolves.toBe(true);
    }
  });

  test('keeps a family that could not be read, so a later call still finds its account', async () => {
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
  ['for the longest life of a session', 0, sessionSeconds],
  ['for the rest of its life if that is longer', 2 * sessionSeconds, 2 * sessionSeconds],
])('an ended session is forbidden %s', async (_, expiresInSeconds, untilSeconds) => {
  const { clock, denylist, revocation } = createRevocationWorld();
  const expiresAt = clock.now() + expiresInSeconds * 1000;
  await revocation.endSession({ uid: 'uid', accountId: 'user_john', sessionId: 'handle', expiresAt });
  expect(await denylist.anyRevoked(['session:other', 'family:uid', 'sid:uid'])).toBe(false);
  clock.advance(untilSeconds * 1000);
  expect(await denylist.anyRevoked(['session:uid'])).toBe(true);
  clock.advance(60_000);
  expect(await denylist.anyRevoked(['session:uid'])).toBe(false);
});

test('a sign-out of one client is kept for the longest life of the session', async () => {
  const { clock, revocation } = createRevocationWorld();
  expect(await revocation.isSignedOut('s1')).toBe(false);
  await revocation.signOutOfClient('s1');
  clock.advance(sessionSeconds * 1000);
  expect(await revocation.isSignedOut('s1')).toBe(true);
  expect(await revocation.isRevoked({ jti: 'j1', clientId: 'app', sid: 's1' })).toBe(true);
});
