import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut, submitForm } from './support/sign-in.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

const sessionSecret = { SESSION_SECRET: 'x'.repeat(40) };
let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld('passport', {
    packages: await installedWithNpm('passport'),
    // The page's client twice more, for passport-openidconnect.
    clients: ([client]) => [
      client,
      { ...client, id: 'strict-app' },
      { ...client, id: 'optional-app', pkce: 'optional' },
    ],
  });
  await world.write('app.js', world.page.block('js'));
}, 300_000);
afterAll(() => world?.stop());

test('Passport signs in, reads userinfo, refreshes, and signs out at both sides', async () => {
  const { app } = world.addresses;
  const started = await world.start({ program: process.execPath, args: ['app.js'], env: sessionSecret });
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
  expect(await refreshesSeen(world)).toEqual({ used: 2, again: 0 });

  await signOut(world, page, () => submitForm(page, '/logout'));
  expect(await page.innerText('body')).toBe('signed out');
  expect((await request.get(`${app}/me`)).status()).toBe(401);
  expect(await isSignedInAtGatehouse(world)).toBe(false);
  await page.close();
  await started.stop();
});

test('passport-openidconnect is refused without PKCE, and works for a client with pkce: optional', async () => {
  const { app, issuer } = world.addresses;
  const env = { ...sessionSecret, ISSUER: issuer, APP: app };
  await world.start({ program: process.execPath, args: ['old-strategy.js'], env });
  const page = await world.browser.context.newPage();
  await page.goto(`${app}/login/strict-app`);
  expect(await page.innerText('body')).toMatch(/invalid_request.*PKCE/s);
  await signIn(world, page, `${app}/login/optional-app`);
  expect(await page.innerText('body')).toMatch(/^signed in as user_/);
});
