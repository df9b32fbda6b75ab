import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { demo } from '../support/deployment.ts';
import { type SeenRequest, startEchoService } from '../support/echo-service.ts';
import { waitFor } from '../support/wait-for.ts';
import { startApi } from './support/api.ts';
import { debianProgram } from './support/native.ts';
import { isSignedInAtGatehouse, signIn, signOut, signOutAtGatehouse } from './support/sign-in.ts';
import { privateApp } from './support/small-app.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

const modules = '/usr/lib/apache2/modules';

describe('mod_auth_openidc', () => {
  let world: ConnectWorld;
  let page: Page;
  let api: string;
  beforeAll(async () => {
    const program = await debianProgram('apache2', `${modules}/mod_auth_openidc.so`, [
      'apache2',
      'libapache2-mod-auth-openidc',
    ]);
    world = await startWorld('mod_auth_openidc', { env: privateApp });
    await chmod(world.folder, 0o755);
    const echo = await startEchoService();
    world.onStop(echo.close);
    api = await startApi(world);
    const configuration = world.page
      .block('apache')
      .replace('orders.internal:8080', echo.address)
      // Longer than the life of an access token, so that each request to the service refreshes it.
      .replace('BeforeExpiry 60', 'BeforeExpiry 1000');
    await world.write('page.conf', configuration);
    const env = {
      FOLDER: world.folder,
      MODULES: modules,
      CRYPTO_PASSPHRASE: 'secret-of-this-test',
    };
    const args = ['-DFOREGROUND', '-f', `${world.folder}/httpd.conf`];
    await world.start({ program, args, env });
  }, 300_000);
  afterAll(() => world?.stop());

  const open = async (path: string) => {
    const answer = await page.goto(`${world.addresses.app}${path}`);
    return { status: answer?.status(), text: (await page.locator('body').innerText()).trim() };
  };
  const headersAtService = async () => {
    const { headers } = JSON.parse((await open('/api/orders')).text) as SeenRequest;
    return Object.fromEntries(headers);
  };
  const start = () => `${world.addresses.app}/`;
  const protectedPage = { status: 200, text: 'for people who are signed in' };

  test('signs a person in with PKCE before it shows a page', async () => {
    page = await world.browser.context.newPage();
    const requested = page.waitForRequest(
      (request) => new URL(request.url()).searchParams.get('code_challenge_method') === 'S256',
    );
    await signIn(world, page, start());
    await requested;
    expect(await open('/')).toEqual(protectedPage);
  });

  test('refuses a page for a group that the person is not in', async () => {
    expect(await open('/admin/')).toMatchObject({ status: 401 });
  });

  test('passes claims and an access token on to a service, and refreshes the token before it expires', async () => {
    const tokens: (string | undefined)[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const { authorization = '', ...headers } = await headersAtService();
      expect(headers).toMatchObject({
        oidc_claim_email: demo.email,
        oidc_claim_email_verified: '1',
        oidc_claim_groups: 'CLIENT',
        oidc_claim_sub: expect.stringMatching(/^user_/),
      });
      const answer = await fetch(api, { headers: { authorization } });
      expect(await answer.json()).toMatchObject({ sub: headers.oidc_claim_sub });
      tokens.push(authorization);
    }
    expect(new Set(tokens).size).toBe(3);
  });

  test('signs out here and at Gatehouse', async () => {
    const { app } = world.addresses;
    await signOut(world, page, `${app}/redirect_uri?logout=${encodeURIComponent(`${app}/signed-out`)}`);
    expect(await open('/signed-out')).toEqual({ status: 200, text: 'signed out' });
    expect(await isSignedInAtGatehouse(world)).toBe(false);
    await page.goto(start());
    expect(page.url()).toContain(world.addresses.issuer);
  });

  test('ends its session when the person signs out at Gatehouse', async () => {
    await signIn(world, page, start());
    expect(await open('/')).toEqual(protectedPage);
    await signOutAtGatehouse(world);
    await waitFor(async () => {
      await page.goto(start());
      return page.url().startsWith(world.addresses.issuer);
    });
  });
});
