import { describe, expect, test } from '@jest/globals';
import { MemoryDenylist } from '../../provider/adapters/memory/denylist.ts';
import { MemoryFamilyStore } from '../../provider/adapters/memory/family-store.ts';
import type { RevocationKey } from '../../provider/ports/denylist.ts';
import { createRevocation, type Revocation } from '../../provider/revocation/revocation.ts';
import { createManualClock } from '../support/manual-clock.ts';

const accessTokenSeconds = 900;
const tombstoneSeconds = 100 * 86_400;
const sessionSeconds = 14 * 86_400;
const lifetimes = { accessTokenSeconds, tombstoneSeconds, sessionSeconds };

function createWorld() {
  const clock = createManualClock();
  const denylist = new MemoryDenylist({ clock });
  const families = new MemoryFamilyStore({ clock });
  const revocation = createRevocation({ denylist, families, clock, ...lifetimes });
  return { clock, denylist, families, revocation };
}

const token = { jti: 'j1', family: 'fam_1', consent: 'c1', sid: 's1', clientId: 'web' };

const family = (expiresAt: number) => ({
  id: 'fam_1',
  accountId: 'user_john',
  clientId: 'web',
  currentHash: 'h1',
  payload: 'sealed',
  expiresAt,
});

describe('revoking', () => {
  test.each<[string, (revocation: Revocation) => Promise<void>, Partial<typeof token>]>([
    ['a token', (revocation) => revocation.revokeToken('j1'), { jti: 'other' }],
    ['a family', (revocation) => revocation.endFamily('fam_1'), { family: 'other' }],
    ['a consent', (revocation) => revocation.endConsent('c1'), { consent: 'other' }],
    ['a session at a client', (revocation) => revocation.endSessionAtClient('s1'), { sid: 'other' }],
    ['a client', (revocation) => revocation.revokeClient('web'), { clientId: 'other' }],
  ])('%s ends its tokens and no others, for as long as they could live', async (_, revoke, other) => {
    const { clock, revocation } = createWorld();
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
    const { revocation } = createWorld();
    await revocation.revokeToken('same');
    const marks = { jti: 'j', family: 'same', consent: 'same', sid: 'same', clientId: 'same' };
    await expect(revocation.isRevoked(marks)).resolves.toBe(false);
  });

  test('a token without family and session is asked for by what it has, in one question', async () => {
    const { clock, families } = createWorld();
    const questions: RevocationKey[][] = [];
    const denylist = {
      revoke: async () => {},
      anyRevoked: async (keys: RevocationKey[]) => {
        questions.push(keys);
        return false;
      },
    };
    const revocation = createRevocation({ denylist, families, clock, ...lifetimes });
    await revocation.isRevoked({ jti: 'j1', clientId: 'service' });
    await revocation.isRevoked(token);
    expect(questions).toEqual([
      ['jti:j1', 'client:service'],
      ['jti:j1', 'client:web', 'family:fam_1', 'consent:c1', 'sid:s1'],
    ]);
  });
});

describe('ending a family', () => {
  const answer = { sealed: 'an answer', until: 0 };

  test('lets it never refresh or open again', async () => {
    const { clock, families, revocation } = createWorld();
    await families.open(family(clock.now() + 86_400_000));
    await revocation.endFamily('fam_1');
    const successor = { hash: 'h2', payload: 'sealed', expiresAt: clock.now() + 86_400_000, answer };
    await expect(families.rotate('fam_1', 'h1', successor)).resolves.toBe(false);
    clock.advance(tombstoneSeconds * 1000 - 1);
    await expect(families.open(family(clock.now() + 1000))).resolves.toBe(false);
  });

  test('catches the token of a refresh that came just before the tombstone, however long that took', async () => {
    const { clock, denylist, families } = createWorld();
    await families.open(family(clock.now() + 86_400_000));
    let issuedUntil = 0;
    const slow = {
      end: async (id: string, until: number) => {
        clock.advance(300_000);
        const successor = { hash: 'h2', payload: 'sealed', expiresAt: until, answer };
        if (await families.rotate(id, 'h1', successor)) issuedUntil = clock.now() + accessTokenSeconds * 1000;
        await families.end(id, until);
      },
    };
    const revocation = createRevocation({
      denylist,
      families: slow,
      clock,
      accessTokenSeconds,
      tombstoneSeconds,
      sessionSeconds,
    });
    await revocation.endFamily('fam_1');
    expect(issuedUntil).toBeGreaterThan(clock.now());
    clock.set(issuedUntil - 1);
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
  });

  test('leaves it to be ended by who asks again, when the denylist can’t be reached', async () => {
    const { clock, denylist, families } = createWorld();
    await families.open(family(clock.now() + 86_400_000));
    const away = { ...denylist, revoke: () => Promise.reject(new Error('unreachable')) };
    const deps = { families, clock, ...lifetimes };
    const failing = createRevocation({ ...deps, denylist: away as never });
    await expect(failing.endFamily('fam_1')).rejects.toThrow('unreachable');
    expect(await families.find('fam_1')).toBeDefined();
    await createRevocation({ ...deps, denylist }).endFamily('fam_1');
    expect(await families.find('fam_1')).toBeUndefined();
    expect(await denylist.anyRevoked(['family:fam_1'])).toBe(true);
  });

  test('ends its access tokens even when the families can’t be reached, and says so', async () => {
    const { clock, denylist } = createWorld();
    const families = { end: () => Promise.reject(new Error('unreachable')) };
    const revocation = createRevocation({ denylist, families, clock, ...lifetimes });
    await expect(revocation.endFamily('fam_1')).rejects.toThrow('unreachable');
    await expect(revocation.isRevoked(token)).resolves.toBe(true);
  });
});

test('signing out of a client while the session goes on is remembered for as long as the session may live', async () => {
  const clock = createManualClock();
  const denylist = new MemoryDenylist({ clock });
  const families = new MemoryFamilyStore({ clock });
  const revocation = createRevocation({ denylist, families, clock, ...lifetimes });
  expect(await revocation.isSignedOut('s1')).toBe(false);
  await revocation.signOutOfClient('s1');
  clock.advance(sessionSeconds * 1000);
  expect(await revocation.isSignedOut('s1')).toBe(true);
  expect(await revocation.isRevoked({ jti: 'j1', clientId: 'app', sid: 's1' })).toBe(true);
});
