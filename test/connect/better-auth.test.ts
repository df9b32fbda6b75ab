import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { decodeJwt } from '../support/test-client.ts';
import { bundleForBrowser } from './support/browser-app.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld('better-auth', { packages: await installedWithNpm('better-auth') });
  await world.write('app.js', world.page.block('js'));
  await world.write('browser.js', world.page.block('js', 1));
  await bundleForBrowser(world, 'browser.js');
  const env = { BETTER_AUTH_SECRET: 'x'.repeat(40) };
  await world.start({ program: process.execPath, args: ['app.js'], env });
}, 300_000);
afterAll(() => world?.stop());

test('better-auth signs in, gives an access token, refreshes, and signs out at both sides', async () => {
  const { app, api } = world.addresses;
  const page = await world.browser.context.newPage();
  await page.goto(app);
  await signIn(world, page, () => page.evaluate('void app.signIn()'));
  expect(await page.evaluate('app.session()')).toMatchObject({
    user: { email: demo.email, emailVerified: true, name: 'John Example' },
  });

  const token = await page.evaluate<string>('app.accessToken()');
  expect(decodeJwt(token).claims).toMatchObject({
    aud: api,
    scope: expect.stringContaining('contracts:read'),
  });
  // The plugin refreshes shortly before the end of the access token. The test asks for it at once, twice.
  const refresh = async () => {
    const accounts = await (await page.request.get(`${app}/api/auth/list-accounts`)).json();
    const data = { accountId: accounts[0].id };
    return page.request.post(`${app}/api/auth/refresh-token`, { data, headers: { origin: app } });
  };
  for (let turn = 0; turn < 2; turn += 1) expect((await refresh()).status()).toBe(200);
  expect(await page.evaluate('app.accessToken()')).not.toBe(token);
  expect(await refreshesSeen(world)).toEqual({ used: 2, again: 0 });

  await signOut(world, page, () => page.evaluate('void app.signOut()'));
  expect(await page.evaluate('app.session()')).toBeNull();
  expect(await isSignedInAtGatehouse(world)).toBe(false);
});
