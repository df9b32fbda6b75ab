import { describe, expect, test } from '@jest/globals';
import { addJohn, createWorld, from, john } from './account-world.ts';

const unknown = 'user_unknown';

describe('accounts', () => {
  test('are created once for each address', async () => {
    const world = createWorld();
    const input = { ...john, roles: ['CLIENT'], metadata: { team: 'blue' }, emailVerified: true };
    const account = await world.accounts.create(input);
    expect(account).toMatchObject({ email: john.email, roles: ['CLIENT'], metadata: { team: 'blue' } });
    await expect(world.accounts.create({ ...input, email: 'John@Example.com' })).resolves.toBeUndefined();
    await expect(world.accounts.findById(account?.id ?? '')).resolves.toEqual(account);
    expect((await world.events()).map(({ type }) => type)).toEqual(['user.created']);
  });

  test('are refused with a bad address or password', async () => {
    const world = createWorld();
    const input = { email: 'john', password: 'password', roles: [], metadata: {}, emailVerified: true };
    await expect(world.accounts.create(input)).rejects.toMatchObject({
      fields: [{ pointer: '/email' }, { pointer: '/password' }],
    });
  });

  test('have the permissions of their roles', () => {
    const { accounts } = createWorld();
    expect(accounts.permissionsOf(['ADMIN', 'CLIENT'])).toEqual(['contracts:read', 'contracts:write']);
    expect(accounts.permissionsOf(['unknown', 'constructor', '__proto__'])).toEqual([]);
  });

  test('get a new password, which ends earlier tokens', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    await expect(world.accounts.setPassword(id, 'quite another password')).resolves.toMatchObject({
      tokenVersion: 1,
    });
    expect((await world.events()).map(({ type, data }) => [type, data])).toEqual([
      ['user.password_changed', { id, email: john.email }],
    ]);
    await expect(world.signIn({ ...john, ...from })).rejects.toMatchObject({ code: 'invalid_credentials' });
    const renewed = { ...john, password: 'quite another password', ...from };
    await expect(world.signIn(renewed)).resolves.toMatchObject({ id });
    await expect(world.accounts.setPassword(id, 'short')).rejects.toMatchObject({
      code: 'validation_failed',
    });
  });

  test('are disabled, enabled and signed out everywhere, each with its event', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    await expect(world.accounts.disable(id)).resolves.toMatchObject({ state: 'disabled', tokenVersion: 1 });
    await expect(world.accounts.enable(id)).resolves.toMatchObject({ state: 'active', tokenVersion: 1 });
    await expect(world.accounts.signOutEverywhere(id)).resolves.toMatchObject({ tokenVersion: 2 });
    const types = (await world.events()).map(({ type }) => type);
    expect(types).toEqual(['user.disabled', 'user.enabled', 'user.signed_out_everywhere']);
    await expect(world.signIn({ ...john, ...from })).resolves.toMatchObject({ tokenVersion: 2 });
  });

  test.each(['disable', 'enable', 'signOutEverywhere', 'setPassword'] as const)(
    '%s reports that an account does not exist',
    async (method) => {
      const { accounts, events } = createWorld();
      await expect(accounts[method](unknown, 'a good password')).rejects.toMatchObject({ code: 'not_found' });
      expect(await events()).toEqual([]);
    },
  );
});
