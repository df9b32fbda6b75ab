import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { newPerson, openAccount, signedInBrowser, silently } from '../support/sign-in.ts';
import { decodeJwt, type TestClient } from '../support/test-client.ts';
import {
  cookieHeader,
  copyOf,
  createUserAgent,
  hiddenField,
  type Page,
  type Person,
  type UserAgent,
} from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { codeOf, formOf, formsOf, headingOf, noticeOf, rowsOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';

const clients = [
  appDocument('web', { name: 'Contracts & more' }),
  appDocument('own', { name: 'Our own', firstParty: true }),
];

let deployment: Deployment;
let web: TestClient;
let own: TestClient;
beforeAll(async () => {
  deployment = await startServers({ clients });
  web = createApp(deployment, 'web');
  own = createApp(deployment, 'own');
}, 120_000);
afterAll(() => deployment?.stop());

let person: Person;
let agent: UserAgent;
let page: Page;
beforeEach(async () => {
  person = await newPerson(deployment);
  agent = createUserAgent(deployment);
  page = await openAccount(deployment, agent, person);
});

const account = () => agent.get(`${deployment.issuer}/account`);
const isSignedIn = async (browser: UserAgent) => (await silently(browser, own)) === 'code';

describe('without a session', () => {
  test('the account page asks the person to sign in, and then opens', async () => {
    const fresh = createUserAgent(deployment);
    const asked = await fresh.get(`${deployment.issuer}/account`);
    expect(headingOf(asked)).toBe('Sign in');
    expect(asked.html).toContain('<bdi>Gatehouse</bdi></p>');
    const shown = await fresh.submit(asked, { ...person });
    expect([shown.status, shown.url]).toEqual([200, `${deployment.issuer}/account`]);
    expect(shown.html).toContain(`<bdi>${person.email}</bdi>`);
    expect(shown.headers.get('cache-control')).toBe('no-store');
  });

  test.each(['', '?code=anything', '?error=login_required&error_description=%3Cb%3E'])(
    'the return address shows an error instead of a new sign-in: %s',
    async (query) => {
      const { status, html, url } = await createUserAgent(deployment).get(
        `${deployment.issuer}/account/signed-in${query}`,
      );
      expect(status).toBe(400);
      expect(url).toContain('/account/signed-in');
      expect(html).toContain('<code>sign_in_incomplete</code>');
      expect(html).toContain('href="/account"');
      expect(html).not.toContain('<b>');
    },
  );

  test('a form changes nothing', async () => {
    const shown = await createUserAgent(deployment).submit(formOf(page, 'sign-out-everywhere'), {});
    expect([shown.status, codeOf(shown)]).toEqual([400, 'session_ended']);
    expect(await isSignedIn(agent)).toBe(true);
  });
});

describe('the list of sign-ins', () => {
  test('shows this browser, marked, and the others, each with browser, address and times', async () => {
    await web.signIn(agent, { scope: allScopes }, person);
    await web.signIn(agent, { scope: allScopes }, person);
    await own.signIn(agent, {}, person);
    await signedInBrowser(deployment, person);
    const [here = '', other = '', ...more] = rowsOf(await account(), 'places');
    expect(more).toEqual([]);
    expect(here).toMatch(
      /^Unknown browser This browser Apps: (Contracts &amp; more , Our own|Our own , Contracts &amp; more) From 127\.0\.0\.1 Since \d{4}-\d\d-\d\d \d\d:\d\d UTC Last used \d{4}-\d\d-\d\d \d\d:\d\d UTC Sign out$/,
    );
    expect(other).toMatch(/^Unknown browser From 127\.0\.0\.1 Since .* End$/);
    expect(page.html).toMatch(/<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z">/);
  });

  test('shows an app as a separate row if it outlives the browser session or has none', async () => {
    await web.signIn(agent, offline, person);
    await apiLogin(deployment, { ...person });
    // A sign-in does not wait until the list has its entry.
    await waitFor(async () => rowsOf(await account(), 'places').length === 3);
    const [here, ...apps] = rowsOf(await account(), 'places');
    expect(here).not.toContain('Apps:');
    expect(apps.map((row) => row.split(' From')[0]).sort()).toEqual([
      'Contracts &amp; more',
      'Demo first-party app',
    ]);
  });

  test('can end another browser: its session and tokens are dead on every process, and this browser stays signed in', async () => {
    const other = await signedInBrowser(deployment, person);
    const tokens = await own.signIn(other, { scope: allScopes }, person);
    const copy = copyOf(deployment, other);
    const form = formOf(await account(), 'end', '>End<');
    const after = await agent.submit(form, {});
    expect([after.status, after.url]).toEqual([200, `${deployment.issuer}/account`]);
    expect(noticeOf(after)).toBe('It is signed out now.');
    expect(rowsOf(after, 'places')).toHaveLength(1);
    expect(noticeOf(await account())).toBeUndefined();
    expect(await standing(deployment, own, tokens.access_token)).toBe('dead');
    expect((await own.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    for (const _process of deployment.origins) expect(await isSignedIn(copy)).toBe(false);
    expect(await isSignedIn(agent)).toBe(true);
    expect(noticeOf(await agent.submit(form, {}))).toBe('It was signed out already.');
  });

  test('can end one app alone', async () => {
    const tokens = await web.signIn(agent, offline, person);
    const kept = await own.signIn(agent, { scope: allScopes }, person);
    const after = await agent.submit(formOf(await account(), 'end', '>End<'), {});
    expect(rowsOf(after, 'places')).toHaveLength(1);
    expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
    expect((await web.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect(await standing(deployment, own, kept.access_token)).toBe('live');
  });

  test('can’t end another person’s sign-ins', async () => {
    const stranger = await newPerson(deployment);
    const theirs = createUserAgent(deployment);
    const theirPage = await openAccount(deployment, theirs, stranger);
    const tokens = await web.signIn(theirs, offline, stranger);
    await web.signIn(agent, offline, person);
    const form = formOf(await account(), 'end', '>End<');
    for (const id of [
      hiddenField(formOf(theirPage, 'end'), 'id'),
      String(decodeJwt(tokens.access_token).claims.family),
    ]) {
      expect(noticeOf(await agent.submit(form, { id }))).toBe('It was signed out already.');
    }
    expect(await isSignedIn(theirs)).toBe(true);
    expect(await standing(deployment, web, tokens.access_token)).toBe('live');
  });

  test('can end this browser, which then shows that it is signed out', async () => {
    const other = await signedInBrowser(deployment, person);
    const gone = await agent.submit(formOf(await account(), 'end', '>Sign out<'), {});
    expect([gone.url, headingOf(gone)]).toEqual([
      `${deployment.issuer}/account/signed-out`,
      'You’re signed out',
    ]);
    expect(gone.html).toContain('href="/account"');
    for (const _process of deployment.origins) expect(await isSignedIn(agent)).toBe(false);
    expect(headingOf(await account())).toBe('Sign in');
    expect(await isSignedIn(other)).toBe(true);
    const still = await other.get(`${deployment.issuer}/account/signed-out`);
    expect(still.url).toBe(`${deployment.issuer}/account`);
  });
});

test('a notice appears on the next page of this browser alone, and a forged one doesn’t appear', async () => {
  await signedInBrowser(deployment, person);
  const form = formOf(await account(), 'end', '>End<');
  const answer = await deployment.fetch(`${deployment.issuer}/account/end`, {
    method: 'POST',
    headers: { cookie: cookieHeader(agent) },
    body: new URLSearchParams({ csrf: hiddenField(form, 'csrf'), id: hiddenField(form, 'id') }),
  });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, `${deployment.issuer}/account`]);
  expect(answer.headers.getSetCookie()).toEqual([
    'gatehouse_notice=ended; Path=/account; Max-Age=60; HttpOnly; SameSite=Lax',
  ]);
  for (const value of ['password-changed', 'signed-out', 'nothing', '<b>', '__proto__']) {
    agent.cookies.set('gatehouse_notice', value);
    const shown = await account();
    expect([shown.status, noticeOf(shown), agent.cookies.has('gatehouse_notice')]).toEqual([
      200,
      undefined,
      false,
    ]);
  }
  expect(noticeOf(await agent.get(`${deployment.issuer}/account?notice=ended`))).toBeUndefined();
});

test('signing out everywhere ends every session and token on every process', async () => {
  const other = await signedInBrowser(deployment, person);
  const tokens = [
    await web.signIn(agent, offline, person),
    await own.signIn(other, { scope: allScopes }, person),
  ];
  const { refreshToken } = await apiLogin(deployment, { ...person });
  const gone = await agent.submit(formOf(await account(), 'sign-out-everywhere'), {});
  expect(headingOf(gone)).toBe('You’re signed out everywhere');
  expect(headingOf(await agent.get(gone.url))).toBe('You’re signed out');
  for (const browser of [agent, other])
    for (const _process of deployment.origins) expect(await isSignedIn(browser)).toBe(false);
  expect(await standing(deployment, web, tokens[0]?.access_token ?? '')).toBe('dead');
  expect(await standing(deployment, own, tokens[1]?.access_token ?? '')).toBe('dead');
  for (const [index, app] of [web, own].entries())
    expect((await app.refresh(tokens[index]?.refresh_token)).body.error).toBe('invalid_grant');
  expect((await callJsonApi(deployment, '/auth/refresh', { refreshToken })).body.code).toBe('invalid_grant');
  const back = await openAccount(deployment, agent, person);
  expect(rowsOf(back, 'places')).toHaveLength(1);
});

describe('a form', () => {
  const post = (
    body: Record<string, string>,
    headers: Record<string, string> = {},
    action = 'sign-out-everywhere',
  ) =>
    deployment.fetch(`${deployment.issuer}/account/${action}`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        cookie: cookieHeader(agent),
        ...headers,
      },
      body: new URLSearchParams(body),
    });
  const refusal = async (sent: Promise<Response>) => {
    const answer = await sent;
    const { code } = (await answer.json()) as { code?: string };
    return [answer.status, code];
  };
  const csrf = () => hiddenField(formOf(page, 'sign-out-everywhere'), 'csrf');

  test('without its token, or with the token of another form, session or person, does nothing', async () => {
    const same = hiddenField(
      formOf(
        await openAccount(deployment, await signedInBrowser(deployment, person), person),
        'sign-out-everywhere',
      ),
      'csrf',
    );
    const stranger = await newPerson(deployment);
    const theirs = hiddenField(
      formOf(await openAccount(deployment, createUserAgent(deployment), stranger), 'sign-out-everywhere'),
      'csrf',
    );
    const wrong = [
      undefined,
      '',
      'x',
      hiddenField(formOf(page, 'password'), 'csrf'),
      same,
      theirs,
      `${csrf()}A`,
    ];
    for (const proof of wrong) {
      expect(await refusal(post(proof === undefined ? {} : { csrf: proof }))).toEqual([400, 'form_expired']);
    }
    expect(await isSignedIn(agent)).toBe(true);
    expect((await post({ csrf: csrf() })).status).toBe(303);
    expect(await isSignedIn(agent)).toBe(false);
  });

  test('from another site does nothing, whichever header names that site', async () => {
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: deployment.issuer.replace('http:', 'https:') },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: deployment.issuer },
    ];
    for (const headers of elsewhere) {
      expect(await refusal(post({ csrf: csrf() }, headers))).toEqual([400, 'form_expired']);
    }
    expect(await isSignedIn(agent)).toBe(true);
    const ours = { origin: deployment.issuer, 'sec-fetch-site': 'same-origin' };
    expect((await post({ csrf: csrf() }, ours)).status).toBe(303);
  });

  test('with an unknown action is not found', async () => {
    expect(await refusal(post({ csrf: csrf() }, {}, 'elsewhere'))).toEqual([404, 'not_found']);
    expect(await isSignedIn(agent)).toBe(true);
  });

  test('leads back to the account page when its address is opened', async () => {
    for (const action of ['end', 'sign-out-everywhere', 'withdraw', 'password'])
      expect((await agent.get(`${deployment.issuer}/account/${action}`)).url).toBe(
        `${deployment.issuer}/account`,
      );
    expect(formsOf(page, 'end')).toHaveLength(1);
  });

  test('changes nothing when it is sent by GET, with its token', async () => {
    const tokens = await web.signIn(agent, { scope: allScopes }, person);
    const opened = await openAccount(deployment, agent, person);
    for (const action of ['end', 'sign-out-everywhere', 'withdraw', 'password']) {
      const { html } = formOf(opened, action);
      const hidden = [...html.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]);
      expect(hidden.map(([name]) => name)).toContain('csrf');
      const typed = { currentPassword: person.password, newPassword: 'a quite new password' };
      const query = new URLSearchParams({ ...Object.fromEntries(hidden), ...typed });
      await agent.get(`${deployment.issuer}/account/${action}?${query}`);
    }
    expect(await isSignedIn(agent)).toBe(true);
    expect(await standing(deployment, web, tokens.access_token)).toBe('live');
    expect((await callJsonApi(deployment, '/auth/login', { ...person })).status).toBe(200);
  });
});

describe('the client of the page', () => {
  const redirectUri = () => `${deployment.issuer}/account/signed-in`;

  test('gets no tokens for its codes, with any secret', async () => {
    const client = createApp(deployment, 'gatehouse-account', 'public');
    const url = client.authorizationUrl({ redirect_uri: redirectUri() });
    const answer = await deployment.fetch(url, {
      redirect: 'manual',
      headers: { cookie: cookieHeader(agent) },
    });
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
    expect(code).toMatch(/^[\w-]{43}$/);
    for (const secret of ['public', 'undefined', 'gatehouse-account-secret', 'x'.repeat(43)]) {
      const redeemed = await createApp(deployment, client.id, secret).redeem(code, {
        redirect_uri: redirectUri(),
      });
      expect([redeemed.status, redeemed.body.error]).toEqual([401, 'invalid_client']);
    }
  });

  test('accepts no other redirect URI, and can’t use the JSON API', async () => {
    const client = createApp(deployment, 'gatehouse-account', 'public');
    const elsewhere = await agent.get(client.authorizationUrl());
    expect([elsewhere.status, codeOf(elsewhere)]).toEqual([400, 'invalid_redirect_uri']);
    const login = await callJsonApi(deployment, '/auth/login', { ...person, clientId: 'gatehouse-account' });
    expect(login.body.code).toBe('client_not_allowed');
  });
});

test('more sign-ins than fit on a page are on the next ones, and can be ended there', async () => {
  // One after the other: parallel tries count as guesses until they turn out right.
  for (let count = 0; count < 27; count += 1)
    expect((await callJsonApi(deployment, '/auth/login', { ...person })).status).toBe(200);
  const linkOf = ({ html }: Page) => /href="(?<url>\/account\?after=[^"]+)"/.exec(html)?.groups?.url;
  let first = await account();
  await waitFor(
    async () => {
      first = await account();
      return linkOf(first) !== undefined;
    },
    { what: 'the list to have a second page' },
  );
  // A page of 25, and before it the browser that is used, which signed in first.
  expect(rowsOf(first, 'places')).toHaveLength(26);
  expect(rowsOf(first, 'places').filter((row) => row.includes('This browser'))).toHaveLength(1);
  const last = await agent.get(`${deployment.issuer}${linkOf(first)}`);
  expect(linkOf(last)).toBeUndefined();
  const rows = rowsOf(last, 'places');
  expect(rows.filter((row) => row.includes('This browser'))).toEqual([]);
  expect(rows).toHaveLength(2);
  const [form] = formsOf(last, 'end');
  const ended = await agent.submit(form ?? last, {});
  expect(noticeOf(ended)).toBe('It is signed out now.');
  expect(linkOf(ended)).toBeDefined();
  expect((await agent.get(`${deployment.issuer}/account?after=made-up&after=x`)).status).toBe(200);
});
