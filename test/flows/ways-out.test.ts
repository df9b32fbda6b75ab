import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import type { TestClient } from '../support/test-client.ts';
import {
  cookieHeader,
  createUserAgent,
  hiddenField,
  type Page,
  stepOf,
  type UserAgent,
} from '../support/user-agent.ts';
import { codeOf, headingOf } from './account-pages.ts';
import { allScopes, appDocument, createApp } from './apps.ts';
import { beginAt, deviceFlow, enterCode, pollFor } from './devices.ts';

const home = 'https://shop.example.com/';
const start = 'https://shop.example.com/start?from=login';

let deployment: Deployment;
let web: TestClient;
beforeAll(async () => {
  const grants = ['authorization_code', 'refresh_token', 'device_code'];
  const clients = [
    appDocument('web', { name: 'The <b>Shop</b>', grants, clientUri: home }),
    appDocument('starter', { name: 'Starter', clientUri: home, initiateLoginUri: start }),
    appDocument('bare', { name: 'Bare' }),
  ];
  deployment = await startServers({ clients, env: deviceFlow, processes: 1 });
  web = createApp(deployment, 'web');
}, 120_000);
afterAll(() => deployment?.stop());

/** Presses the button that refuses, which is in a form of its own. */
const cancel = (agent: UserAgent, page: Page): Promise<Page> => {
  const html = /<form class="cancel"[\s\S]*?<\/form>/.exec(page.html)?.[0] ?? '';
  return agent.submit({ ...page, html }, {});
};

describe('a person who does not want to sign in', () => {
  test.each(['the sign-in page', 'the sign-up page', 'the page after a wrong password'])(
    'can cancel on %s, and the app gets access_denied',
    async (where) => {
      const agent = createUserAgent(deployment);
      let page = await agent.get(web.authorizationUrl());
      if (where === 'the sign-up page') page = await agent.get(stepOf(page, '/sign-up'));
      if (where === 'the page after a wrong password')
        page = await agent.submit(page, { email: demo.email, password: 'a wrong guess' });
      const { url } = await cancel(agent, page);
      expect(url.startsWith(`${web.redirectUri}?`)).toBe(true);
      const returned = Object.fromEntries(new URL(url).searchParams);
      expect(returned).toMatchObject({ error: 'access_denied', state: 'a-state', iss: deployment.issuer });
    },
  );

  test('can cancel for a device, and the device gets access_denied', async () => {
    const agent = createUserAgent(deployment);
    const { device_code, user_code } = await beginAt(web);
    const signIn = await agent.submit(await enterCode(deployment, agent, user_code), { confirm: 'yes' });
    expect(headingOf(await cancel(agent, signIn))).toBe('The device isn’t signed in');
    expect((await pollFor(web, device_code)).body.error).toBe('access_denied');
  });

  test('can cancel on the way to the account page, and sees that nothing was changed', async () => {
    const agent = createUserAgent(deployment);
    const page = await cancel(agent, await agent.get(`${deployment.issuer}/account`));
    expect([page.status, headingOf(page)]).toEqual([200, 'You’re not signed in']);
    expect(page.html).toContain('href="/account"');
  });

  test('does not cancel by a form of another sign-in or another site', async () => {
    const agent = createUserAgent(deployment);
    const page = await agent.get(web.authorizationUrl());
    const other = await createUserAgent(deployment).get(web.authorizationUrl());
    const cookie = cookieHeader(agent);
    const send = (csrf: string, headers: Record<string, string> = {}) =>
      deployment.fetch(stepOf(page, '/cancel'), {
        method: 'POST',
        body: new URLSearchParams({ csrf }),
        headers: { cookie, ...headers },
      });
    expect((await send('')).status).toBe(400);
    expect((await send(hiddenField(other, 'csrf'))).status).toBe(400);
    const own = hiddenField(page, 'csrf');
    expect((await send(own, { origin: 'https://evil.example' })).status).toBe(400);
    expect((await send(own)).status).toBe(303);
  });
});

describe('a page of a sign-in that is over', () => {
  const linkOf = ({ html }: Page) => /<a class="button" href="([^"]*)"/.exec(html)?.[1];

  /** The addresses of all pages of a sign-in, as a browser may keep them. */
  async function kept(id: string): Promise<string[]> {
    const agent = createUserAgent(deployment);
    const app = createApp(deployment, id);
    const first = await agent.get(app.authorizationUrl({ scope: allScopes }));
    const refused = await agent.submit(first, { email: demo.email, password: 'a wrong guess' });
    const consent = await agent.submit(refused, { email: demo.email, password: demo.password });
    return [first.url, refused.url, consent.url, stepOf(consent, '/consent'), stepOf(first, '/sign-up')];
  }

  test('names the app and leads to its home page, in any browser', async () => {
    for (const url of await kept('web')) {
      const page = await createUserAgent(deployment).get(url);
      expect([page.status, codeOf(page), linkOf(page)]).toEqual([400, 'interaction_expired', home]);
      expect(page.html).toContain('Go back to The &lt;b&gt;Shop&lt;/b&gt; and sign in again.');
      expect(page.html).toContain('Go to <bdi>The &lt;b&gt;Shop&lt;/b&gt;</bdi>');
    }
  });

  test('leads to where the app starts a sign-in, if its document says so (OpenID Connect Core §4)', async () => {
    const [url = ''] = await kept('starter');
    const link = linkOf(await createUserAgent(deployment).get(url))?.replaceAll('&amp;', '&');
    expect(link).toBe(`${start}&iss=${encodeURIComponent(deployment.issuer)}`);
  });

  test('of an app without an address names it', async () => {
    const [url = ''] = await kept('bare');
    const page = await createUserAgent(deployment).get(url);
    expect(page.html).toContain('Go back to Bare and sign in again.');
    expect(linkOf(page)).toBeUndefined();
  });

  test('names no app that is not registered, whatever its address says', async () => {
    for (const query of ['?client_id=nobody', '?client_id=a&client_id=web', '?client_id=%3Cb%3E', '']) {
      const url = `${deployment.issuer}/interaction/never-was${query}`;
      const page = await createUserAgent(deployment).get(url);
      expect(page.html).toContain('Go back to the app and sign in again.');
      expect(linkOf(page)).toBeUndefined();
    }
  });

  test('that was sent too late names the app too, and so does the form for signing out', async () => {
    const agent = createUserAgent(deployment);
    const page = await agent.get(web.authorizationUrl());
    const finished = await agent.submit(page, { email: demo.email, password: demo.password });
    const answered = await agent.submit(finished, { decision: 'allow' });
    expect(answered.url).toContain('code=');
    const late = await agent.submit(page, { email: demo.email, password: demo.password });
    expect([codeOf(late), linkOf(late)]).toEqual(['interaction_expired', home]);
    const logout = await agent.get(`${deployment.issuer}/oauth2/logout?client_id=web&ui_locales=en`);
    const stale = await createUserAgent(deployment).submit(logout, { logout: 'yes' });
    expect([stale.status, linkOf(stale)]).toEqual([400, home]);
    expect(stale.html).toContain('Go back to The &lt;b&gt;Shop&lt;/b&gt; to see.');
  });

  test('a request that cannot be answered leads back to its app', async () => {
    const page = await createUserAgent(deployment).get(
      web.authorizationUrl({ redirect_uri: 'https://evil.example/' }),
    );
    expect([page.status, codeOf(page), linkOf(page)]).toEqual([400, 'invalid_redirect_uri', home]);
    expect(page.html).not.toContain('evil.example');
  });
});
