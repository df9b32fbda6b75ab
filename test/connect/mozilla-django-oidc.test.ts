import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { demo } from '../support/deployment.ts';
import { startApi } from './support/api.ts';
import { installedWithPip } from './support/install.ts';
import { commandOutput } from './support/native.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('mozilla-django-oidc', () => {
  let world: ConnectWorld;
  let page: Page;
  let sub: string;
  beforeAll(async () => {
    const program = await installedWithPip('mozilla-django-oidc');
    world = await startWorld('mozilla-django-oidc');
    await world.write('page_settings.py', world.page.block('python'));
    await world.write('gatehouse.py', world.page.block('python', 1));
    const settings = { API_URL: await startApi(world), DJANGO_SETTINGS_MODULE: 'settings', PYTHONPATH: '.' };
    const env = { ...world.page.secrets, ...settings };
    await commandOutput(program, ['-m', 'django', 'migrate'], world.folder, env);
    const listen = ['runserver', '--noreload', `127.0.0.1:${world.appPort}`];
    await world.start({ program, args: ['-m', 'django', ...listen], env: settings });
  }, 300_000);
  afterAll(() => world?.stop());

  const see = async (path: string) => {
    await page.goto(`${world.addresses.app}${path}`);
    return JSON.parse(await page.locator('body').innerText()) as Record<string, string>;
  };
  const startPage = () => `${world.addresses.app}/oidc/authenticate/`;

  test('signs a person in with PKCE, and makes an account with the claims of userinfo', async () => {
    page = await world.browser.context.newPage();
    const requested = page.waitForRequest(
      (request) => new URL(request.url()).searchParams.get('code_challenge_method') === 'S256',
    );
    await signIn(world, page, startPage());
    await requested;
    const { username, email } = await see('/me');
    sub = username ?? '';
    expect(sub).toMatch(/^user_/);
    expect(email).toBe(demo.email);
  });

  test('calls an API with the access token', async () => {
    expect(await see('/call')).toEqual({ sub, scope: expect.stringContaining('contracts:read') });
  });

  test('gets new tokens without a question when the time of the session is over', async () => {
    const { idToken } = await see('/me');
    await see('/expire');
    const renewed = await see('/me');
    expect(renewed).toMatchObject({ username: sub, email: demo.email });
    expect(renewed.idToken).not.toBe(idToken);
  });

  test('signs out here and at Gatehouse', async () => {
    await signOut(world, page, async () => {
      await page.goto(`${world.addresses.app}/leave`);
      await page.getByRole('button', { name: 'Leave' }).click();
    });
    expect(await see('/')).toEqual({ signedIn: false });
    expect(await isSignedInAtGatehouse(world)).toBe(false);
  });

  test('signs a person out who signed out at Gatehouse, when the time of the session is over', async () => {
    await signIn(world, page, startPage());
    await world.browser.context.clearCookies({ domain: 'localhost' });
    expect(await see('/me')).toMatchObject({ username: sub });
    await see('/expire');
    await page.goto(`${world.addresses.app}/me`);
    expect(await see('/')).toEqual({ signedIn: false });
  });
});
