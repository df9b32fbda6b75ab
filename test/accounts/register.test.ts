import { describe, expect, test } from '@jest/globals';
import { addJohn, createWorld, from } from './account-world.ts';

const input = {
  email: 'jane@example.com',
  password: 'correct-horse-battery',
  ip: from.ip,
  userAgent: undefined,
};

describe('registering', () => {
  test('creates an account that can sign in, and writes an event', async () => {
    const world = createWorld();
    await expect(world.register({ ...input, email: ' Jane@Example.com' })).resolves.toEqual({});
    const account = await world.signIn({ email: input.email, password: input.password, ...from });
    expect(account).toMatchObject({
      id: expect.stringMatching(/^user_/),
      email: 'Jane@Example.com',
      emailVerified: false,
      roles: ['CLIENT'],
      state: 'active',
      tokenVersion: 0,
    });
    const [created] = await world.events();
    expect(created).toMatchObject({
      type: 'user.created',
      subject: account.id,
      data: { id: account.id, email: 'Jane@Example.com' },
    });
  });

  test('gives the same result at the same cost for a taken address, and changes nothing', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const before = { ...world.calls };
    const again = { ...input, email: 'JOHN@example.com', password: 'another good password' };
    await expect(world.register(again)).resolves.toEqual({});
    expect(world.calls).toEqual({ ...before, hash: before.hash + 1 });
    expect(await world.store.findById(account.id)).toEqual(account);
    expect(await world.events()).toEqual([]);
  });

  test('knows an address in another spelling of its domain, and keeps what was typed first', async () => {
    const world = createWorld();
    await world.register({ ...input, email: 'Jane@Bücher.example' });
    for (const email of ['jane@xn--bcher-kva.example', 'jane@bücher.example.', 'jane@BÜCHER.example'])
      await world.register({ ...input, email });
    expect((await world.store.list(undefined, 10)).map(({ email }) => email)).toEqual([
      'Jane@Bücher.example',
    ]);
    const account = await world.signIn({ ...input, ...from, email: 'jane@xn--bcher-kva.example' });
    expect(account.email).toBe('Jane@Bücher.example');
  });

  test('creates one account and one event for parallel requests with one address', async () => {
    const world = createWorld();
    const emails = Array.from({ length: 50 }, (_, i) => (i % 2 ? input.email : input.email.toUpperCase()));
    await Promise.all(emails.map((email) => world.register({ ...input, email })));
    expect(await world.store.list(undefined, 100)).toHaveLength(1);
    expect((await world.events()).map(({ type }) => type)).toEqual(['user.created']);
  });

  test('reports every wrong field, before a hash is made', async () => {
    const world = createWorld();
    await expect(world.register({ ...input, email: 'jane', password: '1234' })).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [
        { pointer: '/email', message: expect.stringContaining('name@example.com') },
        { pointer: '/password', message: expect.stringContaining('at least 8') },
      ],
    });
    expect(world.calls.hash).toBe(0);
  });

  test('is refused if sign-up is off', async () => {
    const world = createWorld({ signup: false });
    await expect(world.register(input)).rejects.toMatchObject({ code: 'signup_disabled', status: 403 });
    expect(await world.store.list(undefined, 1)).toEqual([]);
  });
});
