import { describe, expect, test } from '@jest/globals';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createPasswords, type Passwords } from '../../provider/accounts/passwords.ts';
import { createSignIn } from '../../provider/accounts/sign-in.ts';
import { passwordSignIn } from '../../provider/lib/password-sign-in.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { addJohn, cheap, createWorld, from, inRequest, john, type World } from './account-world.ts';

const refusal = {
  code: 'invalid_credentials',
  status: 401,
  message: 'The email address or the password is wrong.',
};

/** Signs in, and calls a function between the check of the password and the transaction. */
function signInWith(world: World, passwords: Passwords) {
  return inRequest(createSignIn({ ...world, accounts: world.store, passwords }));
}

function afterCheck(world: World, then: () => Promise<unknown>): Passwords {
  return {
    ...world.passwords,
    verify: async (...given) => {
      const check = await world.passwords.verify(...given);
      await then();
      return check;
    },
  };
}

describe('the right password', () => {
  test('signs in and writes one event', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    await expect(world.signIn({ ...john, email: ' JOHN@example.com ', ...from })).resolves.toEqual({
      ...account,
      methods: passwordSignIn,
    });
    expect(await world.events()).toMatchObject([
      {
        id: expect.stringMatching(/^evt_/),
        type: 'user.login',
        version: 1,
        time: world.clock.now(),
        subject: account.id,
        data: { id: account.id, email: john.email, ...from },
      },
    ]);
    expect(world.outcomes).toEqual(['succeeded']);
  });

  test('signs in however old it is: no password expires', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    for (const years of [1, 9, 40]) {
      world.clock.advance(years * 365 * 86_400_000);
      await expect(world.signIn({ ...john, ...from })).resolves.toEqual({
        ...account,
        methods: passwordSignIn,
      });
    }
  });

  test('signs in an account of an earlier release whose address would be refused today', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const email = 'john@my_host';
    await world.store.insert({ ...account, id: 'user_old', email });
    await expect(world.signIn({ ...john, ...from, email })).resolves.toMatchObject({ id: 'user_old', email });
  });

  test('writes an empty user agent if the request has none', async () => {
    const world = createWorld();
    await addJohn(world);
    await world.signIn({ ...john, ...from, userAgent: undefined });
    const agents = (await world.events()).map(({ data }) => data.userAgent);
    expect(agents).toEqual(['']);
  });

  test('renews a hash with other parameters, and no other hash', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    const pool = createHashingPool({ concurrency: 1, queueLimit: 10, clock: world.clock });
    const stronger = createPasswords({ params: { ...cheap, memoryKib: 128 }, pool });
    const signIn = signInWith(world, stronger);
    await signIn({ ...john, ...from });
    const renewed = (await world.store.findById(id))?.passwordHash;
    expect(renewed).toContain('m=128,');
    await signIn({ ...john, ...from });
    const after = await world.store.findById(id);
    expect(after?.passwordHash).toBe(renewed);
    expect(after?.tokenVersion).toBe(0);
    expect(await world.events()).toHaveLength(2);
  });

  test('signs in without a new hash if the pool is full', async () => {
    const world = createWorld();
    const { id, passwordHash } = await addJohn(world);
    const clock = createManualClock();
    const full = createHashingPool({ concurrency: 1, queueLimit: 0, clock });
    const pool = createHashingPool({ concurrency: 1, queueLimit: 10, clock });
    const params = { ...cheap, memoryKib: 128 };
    void full.run(() => new Promise(() => {}));
    const busy = createPasswords({ params, pool: full });
    const signIn = signInWith(world, { ...createPasswords({ params, pool }), hash: busy.hash });
    await expect(signIn({ ...john, ...from })).resolves.toMatchObject({ id });
    expect((await world.store.findById(id))?.passwordHash).toBe(passwordHash);
  });
});

describe('a refusal', () => {
  test.each<[string, Partial<typeof john>, 'verify' | 'verifyNothing']>([
    ['a wrong password', { password: 'wrong password' }, 'verify'],
    ['an empty password', { password: '' }, 'verify'],
    ['an unknown address', { email: 'jane@example.com' }, 'verifyNothing'],
    ['a malformed address', { email: 'john\0@example.com' }, 'verifyNothing'],
    ['an account without a password', { email: 'sso@example.com' }, 'verifyNothing'],
  ])('for %s gives the same error, costs one hash and writes nothing', async (_, wrong, cost) => {
    const world = createWorld();
    const account = await addJohn(world);
    await world.accounts.create({ email: 'sso@example.com', roles: [], metadata: {}, emailVerified: true });
    await world.events();
    const before = { ...world.calls };
    await expect(world.signIn({ ...john, ...wrong, ...from })).rejects.toMatchObject(refusal);
    expect(world.calls).toEqual({ ...before, [cost]: before[cost] + 1 });
    expect(await world.events()).toEqual([]);
    expect(await world.store.findById(account.id)).toEqual(account);
    expect(world.outcomes).toEqual(['refused']);
  });

  test('says that the account is disabled only if the password is right', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    await world.accounts.disable(id);
    await world.events();
    const wrong = { ...john, ...from, password: 'wrong password' };
    await expect(world.signIn(wrong)).rejects.toMatchObject(refusal);
    await expect(world.signIn({ ...john, ...from })).rejects.toMatchObject({ code: 'account_disabled' });
    expect(await world.events()).toEqual([]);
    expect(world.outcomes).toEqual(['refused', 'disabled']);
  });

  test('is logged with the account and the client, without typed values', async () => {
    const world = createWorld();
    const { id: accountId } = await addJohn(world);
    const unknown = 'my-password-in-the-wrong-field';
    for (const wrong of [{ password: 'wrong password' }, { email: unknown }])
      await expect(world.signIn({ ...john, ...wrong, ...from })).rejects.toMatchObject(refusal);
    await world.accounts.disable(accountId);
    await expect(world.signIn({ ...john, ...from })).rejects.toBeDefined();
    const line = (reason: string, id?: string) => ['sign-in refused', { reason, accountId: id, ...from }];
    expect(world.logged).toEqual([
      line('invalid_credentials', accountId),
      line('invalid_credentials'),
      line('account_disabled', accountId),
    ]);
  });

  test('happens if the account was disabled after the check', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    const signIn = signInWith(
      world,
      afterCheck(world, () => world.accounts.disable(id)),
    );
    await expect(signIn({ ...john, ...from })).rejects.toMatchObject({ code: 'account_disabled' });
    expect((await world.events()).map(({ type }) => type)).toEqual(['user.disabled']);
  });

  test('happens if the password was replaced after the check', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    const replace = () => world.accounts.setPassword(id, 'quite another password');
    const signIn = signInWith(world, afterCheck(world, replace));
    await expect(signIn({ ...john, ...from })).rejects.toMatchObject(refusal);
    expect((await world.events()).map(({ type }) => type)).toEqual(['user.password_changed']);
  });

  test('does not happen after a rehash by another sign-in or a sign-out everywhere during the check', async () => {
    const world = createWorld();
    const { id, passwordHash = '' } = await addJohn(world);
    const rehash = async () => {
      const other = await world.passwords.hash(john.password);
      await world.store.replacePasswordHash(id, passwordHash, other, world.clock.now());
    };
    await expect(signInWith(world, afterCheck(world, rehash))({ ...john, ...from })).resolves.toBeDefined();
    const everywhere = () => world.accounts.signOutEverywhere(id);
    const signIn = signInWith(world, afterCheck(world, everywhere));
    await expect(signIn({ ...john, ...from })).resolves.toMatchObject({ tokenVersion: 1 });
  });

  test('has the status 503 if the pool is full', async () => {
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock: createManualClock() });
    const world = createWorld({ pool });
    await addJohn(world);
    const tries = Array.from({ length: 5 }, () => world.signIn({ ...john, ...from }));
    const results = await Promise.allSettled(tries);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 2 });
    expect(await world.events()).toHaveLength(2);
  });
});

test('a password that is too long is refused before the account is looked up, so the error shows nothing about the account', async () => {
  const world = createWorld();
  await addJohn(world);
  const lookedFor: string[] = [];
  const accounts = {
    findByEmail: (email: string) => {
      lookedFor.push(email);
      return world.store.findByEmail(email);
    },
  };
  const signIn = inRequest(createSignIn({ ...world, accounts }));
  const password = 'x'.repeat(1025);
  for (const email of [john.email, 'nobody@example.com'])
    await expect(signIn({ email, password, ...from })).rejects.toMatchObject({ code: 'validation_failed' });
  expect(lookedFor).toEqual([]);
});
