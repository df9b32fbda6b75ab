import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut, submitForm } from './support/sign-in.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld('authjs', { packages: await installedWithNpm('authjs') });
  await world.write('app.js', world.page.block('js'));
  // An access token lives 900 s, so with this setting the app refreshes whenever it reads the session.
  const env = { AUTH_SECRET: 'x'.repeat(40), REFRESH_SECONDS_BEFORE: '900' };
  await world.start({ program: process.execPath, args: ['app.js'], env });
}, 300_000);
afterAll(() => world?.stop());

test('Auth.js signs in, refreshes again and again, and signs out at both sides', async () => {
  const { app } = world.addresses;
  const { context } = world.browser;
  const page = await context.newPage();
  await page.goto(`${app}/auth/signin`);
  await signIn(world, page, () => page.getByRole('button', { name: 'Sign in with Gatehouse' }).click());
  const home = async () => {
    await page.goto(`${app}/`);
    return page.innerText('body');
  };
  const session = async () => (await context.request.get(`${app}/auth/session`)).json();
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await home()).toBe(`signed in as ${demo.email}`);
    expect(await session()).toMatchObject({
      sub: expect.stringMatching(/^user_/),
      user: { email: demo.email },
    });
  }
  expect((await session()).error).toBeUndefined();
  const { used, again } = await refreshesSeen(world);
  expect(used).toBeGreaterThanOrEqual(7);
  expect(again).toBe(0);

  await signOut(world, page, () => submitForm(page, '/logout'));
  expect(await home()).toBe('signed out');
  expect(await isSignedInAtGatehouse(world)).toBe(false);
});
