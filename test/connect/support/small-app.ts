import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { demo } from '../../support/deployment.ts';
import { waitFor } from '../../support/wait-for.ts';
import { isSignedInAtGatehouse, signIn, signOut, signOutAtGatehouse } from './sign-in.ts';
import { refreshesSeen } from './tokens.ts';
import type { ConnectWorld } from './world.ts';

/** What the app on a page is: a web app with `/login`, `/me`, `/call`, `/refresh` and `/logout`, which answers in JSON. */
export interface SmallApp {
  /** The claims of the person in the id token, besides `sub`. */
  idToken?: object;
  /** The claims of userinfo, besides `sub`. */
  userinfo: object;
  /** Whether the app takes logout tokens. */
  backChannelLogout?: boolean;
}

/** For a world whose app takes logout tokens: it is on this machine. */
export const privateApp = { GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '127.0.0.0/8' };

/** The tests of such an app, in one browser, in this order. */
export function testSmallApp(
  world: () => ConnectWorld,
  { idToken = {}, userinfo, backChannelLogout }: SmallApp,
): void {
  let page: Page;
  let sub: string;
  const see = async (path: string) => {
    await page.goto(`${world().addresses.app}${path}`);
    return JSON.parse(await page.locator('body').innerText()) as Record<string, Record<string, unknown>>;
  };

  test('signs a person in with PKCE, and reads the claims from the id token and from userinfo', async () => {
    const { browser, addresses } = world();
    page = await browser.context.newPage();
    const requested = page.waitForRequest(
      (request) => new URL(request.url()).searchParams.get('code_challenge_method') === 'S256',
    );
    await signIn(world(), page, `${addresses.app}/login`);
    await requested;
    const seen = await see('/me');
    sub = String(seen.userinfo?.sub);
    expect(sub).toMatch(/^user_/);
    expect(seen).toMatchObject({
      idToken: { iss: addresses.issuer, sub, ...idToken },
      userinfo: { sub, email: demo.email, ...userinfo },
    });
  });

  test('calls an API with the access token', async () => {
    expect(await see('/call')).toEqual({ sub, scope: expect.stringContaining('contracts:read') });
  });

  test('refreshes, twice in a row, and calls with the new token', async () => {
    for (let turn = 0; turn < 2; turn += 1)
      expect(await see('/refresh')).toEqual({ newAccessToken: true, newRefreshToken: true });
    expect(await see('/call')).toMatchObject({ sub });
    expect(await refreshesSeen(world())).toEqual({ used: 2, again: 0 });
  });

  test('signs out here and at Gatehouse', async () => {
    expect(await isSignedInAtGatehouse(world())).toBe(true);
    await signOut(world(), page, `${world().addresses.app}/logout`);
    expect(await see('/')).toEqual({ signedIn: false });
    expect(await isSignedInAtGatehouse(world())).toBe(false);
  });

  if (backChannelLogout)
    test('ends its session when the person signs out at Gatehouse', async () => {
      await signIn(world(), page, `${world().addresses.app}/login`);
      expect(await see('/')).toEqual({ signedIn: true });
      await signOutAtGatehouse(world());
      await waitFor(async () => !(await see('/')).signedIn, { what: 'the logout token' });
    });
}
