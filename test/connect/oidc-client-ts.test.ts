import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { decodeJwt } from '../support/test-client.ts';
import { bundleForBrowser, serveToBrowser } from './support/browser-app.ts';
import { installedWithNpm } from './support/install.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

interface User {
  access_token: string;
  refresh_token: string;
  profile: Record<string, unknown>;
}

let world: ConnectWorld;
beforeAll(async () => {
  world = await startWorld('oidc-client-ts', { packages: await installedWithNpm('oidc-client-ts') });
  await world.write('auth.js', world.page.block('js'));
  await bundleForBrowser(world, 'main.js');
  await serveToBrowser(world);
}, 300_000);
afterAll(() => world?.stop());

test('oidc-client-ts signs in, renews silently, survives two renewals at once, and signs out at both sides', async () => {
  const { app, api, issuer } = world.addresses;
  const page = await world.browser.context.newPage();
  await page.goto(app);
  expect(await page.evaluate('app.start()')).toBeNull();
  await signIn(world, page, () => page.evaluate('void app.signIn()'));
  const user = await page.evaluate<User>('app.start()');
  expect(new URL(page.url()).pathname).toBe('/');
  expect(user.profile).toMatchObject({ email: demo.email, name: 'John Example' });
  expect(decodeJwt(user.access_token).claims).toMatchObject({ aud: api });

  // The same settings, but the library renews almost the whole lifetime before the end.
  const renewed = await page.evaluate<User>('app.renewedByItself()');
  expect(renewed.access_token).not.toBe(user.access_token);
  expect(renewed.profile).toMatchObject({ email: demo.email });

  const [one, other] = await page.evaluate<[User, User]>('app.renewTwiceAtOnce()');
  expect(one.refresh_token).not.toBe(renewed.refresh_token);
  expect(other.refresh_token).toBe(one.refresh_token);

  await signOut(world, page, () => page.evaluate('void app.signOut()'));
  expect(await page.evaluate('app.start()')).toBeNull();
  expect(await isSignedInAtGatehouse(world)).toBe(false);
  const form = { grant_type: 'refresh_token', client_id: 'spa', refresh_token: one.refresh_token };
  expect((await page.request.post(`${issuer}/oauth2/token`, { form })).status()).toBe(400);
});
