import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { demo } from '../support/deployment.ts';
import { type SeenRequest, startEchoService } from '../support/echo-service.ts';
import { waitFor } from '../support/wait-for.ts';
import { startApi } from './support/api.ts';
import { installedGoTool } from './support/native.ts';
import { isSignedInAtGatehouse, signIn, signOut, signOutAtGatehouse } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('oauth2-proxy', () => {
  let world: ConnectWorld;
  let page: Page;
  let api: string;
  beforeAll(async () => {
    const program = await installedGoTool('oauth2-proxy');
    world = await startWorld('oauth2-proxy');
    const echo = await startEchoService();
    world.onStop(echo.close);
    api = await startApi(world);
    const configuration = world.page
      .block('toml')
      .replace('orders.internal:8080', echo.address)
      .replace('"auth.example.com"', JSON.stringify(new URL(world.addresses.issuer).host))
      // So that the test does not wait for ten minutes.
      .replace('cookie_refresh = "10m"', 'cookie_refresh = "1s"');
    // These two follow from the page's addresses, which are https.
    const forTest = `http_address = "127.0.0.1:${world.appPort}"\ncookie_secure = false\n`;
    const file = await world.write('oauth2-proxy.toml', `${configuration}${forTest}`);
    const env = { OAUTH2_PROXY_COOKIE_SECRET: '0123456789abcdef0123456789abcdef' };
    await world.start({ program, args: ['--config', file], env, ready: `${world.addresses.app}/ready` });
  }, 900_000);
  afterAll(() => world?.stop());

  /** The request that the service behind the proxy received. Undefined if the proxy asks for a sign-in. */
  const seenByService = async (): Promise<Record<string, string> | undefined> => {
    const answer = await page.goto(`${world.addresses.app}/orders`);
    if (answer?.status() === 403) return undefined;
    const { headers } = JSON.parse(await page.locator('body').innerText()) as SeenRequest;
    return Object.fromEntries(headers);
  };
  const start = async () => {
    await page.goto(`${world.addresses.app}/orders`);
    await page.getByRole('button', { name: 'Sign in with OpenID Connect' }).click();
  };

  test('signs a person in with PKCE, and passes claims and an access token on', async () => {
    page = await world.browser.context.newPage();
    const requested = page.waitForRequest(
      (request) => new URL(request.url()).searchParams.get('code_challenge_method') === 'S256',
    );
    await signIn(world, page, start);
    await requested;
    const headers = await seenByService();
    expect(headers).toMatchObject({
      'x-forwarded-user': expect.stringMatching(/^user_/),
      'x-forwarded-email': demo.email,
      'x-forwarded-groups': 'CLIENT',
    });
    const authorization = `Bearer ${headers?.['x-forwarded-access-token']}`;
    const answer = await fetch(api, { headers: { authorization } });
    expect(await answer.json()).toMatchObject({ sub: headers?.['x-forwarded-user'] });
  });

  test('refreshes, and passes the new access token on', async () => {
    const seen = new Set<string | undefined>();
    await waitFor(
      async () => {
        seen.add((await seenByService())?.['x-forwarded-access-token']);
        return seen.size >= 3;
      },
      { timeoutMs: 20_000, what: 'two refreshes' },
    );
    expect(seen).not.toContain(undefined);
  });

  test('signs out here and at Gatehouse', async () => {
    const link = /href="(?<path>[^"]+)"/.exec(world.page.block('html'))?.groups?.path;
    await signOut(world, page, `${world.addresses.app}${link}`);
    expect(await seenByService()).toBeUndefined();
    expect(await isSignedInAtGatehouse(world)).toBe(false);
  });

  test('ends the session at the next refresh after a sign-out at Gatehouse', async () => {
    await signIn(world, page, start);
    expect(await seenByService()).toBeDefined();
    await signOutAtGatehouse(world);
    await waitFor(async () => (await seenByService()) === undefined, {
      timeoutMs: 20_000,
      what: 'the end of the session',
    });
  });
});
