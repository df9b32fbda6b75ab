import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld('passport', { packages: await installedWithNpm('passport') });
  await world.write('app.js', world.page.block('js'));
  await world.start({ program: process.execPath, args: ['app.js'], env: { SESSION_SECRET: 'x'.repeat(40) } });
}, 300_000);
afterAll(() => world?.stop());

test('Passport signs in, reads userinfo, refreshes, and signs out at both sides', async () => {
  const { app } = world.addresses;
  const page = await world.browser.context.newPage();
  await signIn(world, page, `${app}/login`);
  expect(await page.innerText('body')).toMatch(/^signed in as user_/);

  const { request } = world.browser.context;
  const userinfo = async () => (await request.get(`${app}/me`)).json();
  expect(await userinfo()).toMatchObject({ email: demo.email });
  for (let turn = 0; turn < 2; turn += 1) {
    const refreshed = await request.post(`${app}/refresh`);
    expect(await refreshed.json()).toEqual({ scope: expect.stringContaining('contracts:read') });
  }
  expect(await userinfo()).toMatchObject({ email: demo.email });

  await signOut(world, page, `${app}/logout`);
  expect(await page.innerText('body')).toBe('signed out');
  expect((await request.get(`${app}/me`)).status()).toBe(401);
  expect(await isSignedInAtGatehouse(world)).toBe(false);
});
