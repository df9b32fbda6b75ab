import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { decodeJwt } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { bundleForBrowser, serveToBrowser } from './support/browser-app.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
beforeAll(async () => {
  const packages = await installedWithNpm('msal-browser');
  world = await startWorld('msal-browser', { packages, https: true });
  await world.write('auth.js', world.page.block('js'));
  await bundleForBrowser(world, 'main.js');
  await serveToBrowser(world);
}, 300_000);
afterAll(() => world?.stop());

test('MSAL.js signs in, gives access tokens, refreshes silently, and signs out at both sides', async () => {
  const { app, api } = world.addresses;
  const page = await world.browser.context.newPage();
  await page.goto(app);
  expect(await page.evaluate('app.started')).toBeUndefined();
  await signIn(world, page, () => page.evaluate('void app.signIn()'));
  const account = await waitFor(() => page.evaluate('app.started'), { what: 'the account' });
  expect(account).toMatchObject({
    name: 'John Example',
    idTokenClaims: { email: demo.email, sub: expect.stringMatching(/^user_/) },
  });

  const token = await page.evaluate<string>('app.accessToken()');
  expect(decodeJwt(token).claims).toMatchObject({
    aud: api,
    scope: expect.stringContaining('contracts:read'),
  });
  const first = await page.evaluate<string>('app.accessToken({ forceRefresh: true })');
  const second = await page.evaluate<string>('app.accessToken({ forceRefresh: true })');
  expect(new Set([token, first, second]).size).toBe(3);
  expect(await refreshesSeen(world)).toEqual({ used: 2, again: 0 });

  await signOut(world, page, () => page.evaluate('void app.signOut()'));
  expect(await page.evaluate('app.started')).toBeUndefined();
  expect(await isSignedInAtGatehouse(world)).toBe(false);
});
