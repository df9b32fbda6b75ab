import { describe, expect, test } from '@jest/globals';
import { createSecondFactors } from '../../provider/accounts/second-factors.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import type { Account } from '../../provider/ports/account-store.ts';
import { authenticatorFor } from '../support/authenticator.ts';
import { addJohn, createWorld, from, john, type World } from './account-world.ts';

const newSecret = 'a new server secret';

/** Adds an app to the account, and moves the time on, so that the next code is another one. */
async function addApp(world: World, account: Account) {
  const { secret, sealed } = await world.factors.offer(account, 'here');
  const app = authenticatorFor(secret, () => world.clock.now());
  const offered = { sealed, code: app.code(), place: { accountId: account.id, boundTo: 'here' } };
  const codes = await world.unitOfWork.run((stores) => world.factors.add(stores, account, offered));
  world.clock.advance(60_000);
  return { app, codes, secret };
}

const stored = (world: World, { id }: Account) =>
  world.unitOfWork.run(({ secondFactors }) => secondFactors.find(id));

/** The names of the events without those of the account. */
const events = async (world: World) => (await world.events()).map(({ type, data }) => [type, data]);

describe('a second factor', () => {
  test('each change writes its event, and user.login comes only after the code', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { id, email } = account;
    const { app, codes } = await addApp(world, account);
    expect(await events(world)).toEqual([['user.second_factor_added', { id, email, method: 'totp' }]]);
    const asked = await world.signIn({ ...john, ...from }).catch((error) => error);
    expect(asked).toMatchObject({ code: 'second_factor_required', status: 401 });
    expect(await events(world)).toEqual([]);
    const { challenge } = asked.members;
    const { clientId } = from;
    const finish = (code: string) => world.secondStep.finish({ challenge, clientId, code });
    await expect(finish('000000')).rejects.toMatchObject({ code: 'invalid_second_factor' });
    expect(await events(world)).toEqual([]);
    expect((await finish(app.code())).methods.amr).toEqual(['pwd', 'otp', 'mfa']);
    expect((await events(world)).map(([type]) => type)).toEqual(['user.login']);
    expect(world.outcomes).toEqual(['second_factor_required', 'refused', 'succeeded']);
    await world.signIn({ ...john, ...from, code: codes[0] });
    expect(await events(world)).toMatchObject([
      ['user.recovery_code_used', { id, email, left: 9 }],
      ['user.login', { id }],
    ]);
    await world.unitOfWork.run((stores) => world.factors.replaceRecoveryCodes(stores, account));
    await world.unitOfWork.run((stores) => world.factors.remove(stores, account));
    expect(await events(world)).toMatchObject([
      ['user.recovery_codes_replaced', { id, email }],
      ['user.second_factor_removed', { id, email, method: 'totp' }],
    ]);
    expect((await world.signIn({ ...john, ...from })).methods.amr).toEqual(['pwd']);
  });

  test('the store holds neither the secret nor a recovery code in clear', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { codes, secret } = await addApp(world, account);
    expect(Buffer.from(secret, 'base64').length).toBeGreaterThan(20);
    expect(codes).toEqual(Array(10).fill(expect.stringMatching(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/)));
    expect(new Set(codes).size).toBe(10);
    const text = JSON.stringify(await stored(world, account));
    for (const clear of [secret, ...codes]) expect(text).not.toContain(clear);
  });

  test('a sign-in seals the secret with the newest server secret, and recovery codes stay valid', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { app, codes } = await addApp(world, account);
    world.keys.replace([newSecret, 'secret']);
    await world.signIn({ ...john, ...from, code: app.code() });
    world.keys.replace([newSecret]);
    await world.signIn({ ...john, ...from, code: codes[3] });
    const later = createServerKeys([newSecret]);
    const factors = createSecondFactors({ ...world, keys: later, appName: 'Gatehouse' });
    world.clock.advance(60_000);
    await world.unitOfWork.run((stores) => factors.use(stores, account, app.code()));
  });

  test('a secret that was moved to another account opens nothing', async () => {
    const world = createWorld();
    const account = await addJohn(world);
    const { app } = await addApp(world, account);
    const factor = await stored(world, account);
    if (factor === undefined) throw new Error('no factor');
    const { recoveryCodes: _, ...row } = factor;
    const other = { ...account, id: 'user_other' };
    await world.unitOfWork.run(({ secondFactors }) => secondFactors.add(other.id, row));
    const used = world.unitOfWork.run((stores) => world.factors.use(stores, other, app.code()));
    await expect(used).rejects.toThrow("can't be read");
  });
});

describe('the policy', () => {
  test.each([
    ['everybody with required', { mode: 'required' }, true],
    ['no account with optional', { mode: 'optional' }, false],
    ['accounts with a role, also with off', { mode: 'off', roles: ['CLIENT'] }, true],
    ['no account without the role', { mode: 'off', roles: ['ADMIN'] }, false],
  ] as const)('asks %s', async (_, secondFactor, isAsked) => {
    const world = createWorld({ secondFactor });
    await addJohn(world);
    const signedIn = world.signIn({ ...john, ...from }).then(
      () => false,
      ({ code }) => code === 'second_factor_missing',
    );
    expect(await signedIn).toBe(isAsked);
  });

  test('a client asks everybody, also with off', async () => {
    const world = createWorld({ secondFactor: { mode: 'off' } });
    await addJohn(world);
    const signedIn = world.signIn({ ...john, ...from, needsSecondFactor: true });
    await expect(signedIn).rejects.toMatchObject({ code: 'second_factor_missing' });
  });

  test('an account that has a second factor is asked with off too', async () => {
    const world = createWorld({ secondFactor: { mode: 'off' } });
    await addApp(world, await addJohn(world));
    await expect(world.signIn({ ...john, ...from })).rejects.toMatchObject({
      code: 'second_factor_required',
    });
  });
});
