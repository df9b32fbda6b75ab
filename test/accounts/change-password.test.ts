import { describe, expect, test } from '@jest/globals';
import { createChangePassword } from '../../provider/accounts/change-password.ts';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import type { Passwords } from '../../provider/accounts/passwords.ts';
import type { PasswordTry } from '../../provider/rate-limits/sign-in-limits.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { addJohn, createWorld, from, john, type World } from './account-world.ts';

const next = 'a walk along the river';

const changeIn = (world: World, passwords: Passwords = world.passwords) =>
  createChangePassword({ ...world, accounts: world.store, passwords });

/** Changes the password and calls another function while passwords are hashed. */
function afterHash(world: World, then: () => Promise<unknown>): Passwords {
  return {
    ...world.passwords,
    hash: async (...given) => {
      const hash = await world.passwords.hash(...given);
      await then();
      return hash;
    },
  };
}

const input = ({ id, tokenVersion }: { id: string; tokenVersion: number }) => ({
  accountId: id,
  tokenVersion,
  current: john.password,
  next,
});

describe('changing the password', () => {
  test('counts a try at the current password as a try to sign in, and nothing else', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const tries: unknown[] = [];
    const rateLimits = {
      signIn: async <T>(tried: PasswordTry, work: () => Promise<T>) => {
        const outcome = work();
        const error = await outcome.then(
          () => undefined,
          ({ code }) => code,
        );
        tries.push([tried.email, tried.browser, await tried.tokenVersion(), error]);
        return outcome;
      },
    };
    const change = createChangePassword({ ...world, accounts: world.store, rateLimits });
    const browser = 'a cookie';
    await expect(change({ ...input(account), browser, current: 'not-this-one' })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    await expect(change({ ...input(account), next: 'short' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    await change({ ...input(account), browser });
    expect(tries).toEqual([
      [john.email, browser, account.tokenVersion, 'invalid_credentials'],
      [john.email, browser, account.tokenVersion, undefined],
    ]);
  });

  test('replaces it, ends earlier tokens, and writes one event', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const changed = await changeIn(world)(input(account));
    expect(changed.tokenVersion).toBe(account.tokenVersion + 1);
    expect(await world.events()).toMatchObject([
      { type: 'user.password_changed', subject: account.id, data: { id: account.id, email: john.email } },
    ]);
    await expect(world.signIn({ ...john, ...from })).rejects.toMatchObject({ code: 'invalid_credentials' });
    await expect(world.signIn({ ...john, password: next, ...from })).resolves.toMatchObject({
      tokenVersion: changed.tokenVersion,
    });
  });

  test('accepts the current password in another Unicode form, as sign-in does', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    await changeIn(world)({ ...input(account), next: 'cafe\u0301 au lait' });
    const again = { accountId: account.id, tokenVersion: account.tokenVersion + 1 };
    await expect(
      changeIn(world)({ ...again, current: 'caf\u00e9 au lait', next: 'cafe\u0301 au lait' }),
    ).rejects.toMatchObject({ code: 'validation_failed', fields: [{ pointer: '/newPassword' }] });
    await changeIn(world)({ ...again, current: 'caf\u00e9 au lait', next });
  });

  test('requires the current password; a wrong one costs a hash, is counted and logged, and changes nothing', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const before = { ...world.calls };
    const wrong = { ...input(account), current: 'not-this-one' };
    await expect(changeIn(world)(wrong)).rejects.toMatchObject({ code: 'invalid_credentials', status: 401 });
    expect(world.calls).toEqual({ ...before, verify: before.verify + 1 });
    expect(world.outcomes).toEqual(['refused']);
    expect(world.logged).toEqual([['password change refused', { accountId: account.id }]]);
    expect(await world.store.findById(account.id)).toEqual(account);
    expect(await world.events()).toEqual([]);
  });

  test('costs the same and gives the same error for an account without a password', async () => {
    const world = createWorld();
    const made = await world.accounts.create({
      email: 'jane@example.com',
      roles: [],
      metadata: {},
      emailVerified: true,
    });
    const { id, tokenVersion } = made ?? { id: '', tokenVersion: 0 };
    await expect(changeIn(world)(input({ id, tokenVersion }))).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    expect(world.calls.verifyNothing).toBe(1);
  });

  test.each(['short', 'x'.repeat(257), 'password', john.email, john.password])(
    'refuses the new password %.30s before anything is hashed',
    async (password) => {
      const world = createWorld();
      const account = await addJohn(world);
      const before = { ...world.calls };
      await expect(changeIn(world)({ ...input(account), next: password })).rejects.toMatchObject({
        code: 'validation_failed',
        fields: [{ pointer: '/newPassword' }],
      });
      expect(world.calls).toEqual(before);
      expect(world.outcomes).toEqual([]);
    },
  );

  test('requires a session that has not ended; otherwise nothing is hashed or changed', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    await world.accounts.signOutEverywhere(account.id);
    const before = { ...world.calls };
    const gone = { code: 'session_ended' };
    await expect(changeIn(world)(input(account))).rejects.toMatchObject(gone);
    await expect(changeIn(world)({ ...input(account), accountId: 'user_nobody' })).rejects.toMatchObject(
      gone,
    );
    const disabled = await world.accounts.disable(account.id);
    await expect(changeIn(world)(input(disabled))).rejects.toMatchObject(gone);
    expect(world.calls).toEqual(before);
  });

  test.each<[string, (world: World, id: string) => Promise<unknown>]>([
    ['signed out everywhere', (world, id) => world.accounts.signOutEverywhere(id)],
    ['disabled', (world, id) => world.accounts.disable(id)],
    [
      'disabled and enabled again',
      async (world, id) => [await world.accounts.disable(id), await world.accounts.enable(id)],
    ],
    ['given another password', (world, id) => world.accounts.setPassword(id, 'set by an administrator')],
  ])('does nothing if the account was %s in the meantime', async (_, happen) => {
    const world = createWorld();
    const account = await addJohn(world);
    const passwords = afterHash(world, () => happen(world, account.id));
    await expect(changeIn(world, passwords)(input(account))).rejects.toMatchObject({ code: 'session_ended' });
    const now = await world.store.findById(account.id);
    expect(now?.tokenVersion).toBe(account.tokenVersion + 1);
    const events = (await world.events()).filter(({ type }) => type === 'user.password_changed');
    expect(events).toHaveLength(now?.passwordHash === account.passwordHash ? 0 : 1);
    expect((await world.passwords.verify(next, now?.passwordHash ?? '')).matches).toBe(false);
  });

  test('works if a sign-in renewed the hash of the same password in the meantime', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const passwords = afterHash(world, async () => {
      const renewed = await world.passwords.hash(john.password);
      await world.store.replacePasswordHash(account.id, account.passwordHash ?? '', renewed, 0);
    });
    await changeIn(world, passwords)(input(account));
    await expect(world.signIn({ ...john, password: next, ...from })).resolves.toBeDefined();
  });

  test('succeeds once if many calls run in parallel', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const change = changeIn(world);
    const wanted = Array.from({ length: 8 }, (_, index) => `${next} ${index}`);
    const done = await Promise.allSettled(wanted.map((each) => change({ ...input(account), next: each })));
    const made = done.flatMap(({ status }, index) => (status === 'fulfilled' ? [wanted[index]] : []));
    expect(made).toHaveLength(1);
    await expect(world.signIn({ ...john, password: made[0] ?? '', ...from })).resolves.toBeDefined();
    expect((await world.store.findById(account.id))?.tokenVersion).toBe(account.tokenVersion + 1);
  });

  test('ends a sign-in with the old password that runs at the same time', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const signedIn = await world.signIn({ ...john, ...from });
    const changed = await changeIn(world)(input(account));
    expect(signedIn.tokenVersion).toBeLessThan(changed.tokenVersion);
  });

  test('is refused if the queue of the hashing pool is full', async () => {
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock: createManualClock() });
    const world = createWorld({ pool });
    const account = await addJohn(world);
    const attempts = await Promise.allSettled(
      Array.from({ length: 5 }, () => changeIn(world)({ ...input(account), current: 'not-this-one' })),
    );
    const codes = attempts.map((each) => (each.status === 'rejected' ? each.reason.code : 'changed'));
    expect(codes).toContain('overloaded');
    expect(world.outcomes.filter((outcome) => outcome === 'overloaded')).toHaveLength(
      codes.filter((code) => code === 'overloaded').length,
    );
  });
});
