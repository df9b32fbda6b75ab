import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, deployments, startEmbedded } from '../support/deployment.ts';
import { newPerson, openAccount, signOut } from '../support/sign-in.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import {
  cookieHeader,
  createUserAgent,
  hiddenField,
  type Page,
  type Person,
  stepOf,
  type UserAgent,
} from '../support/user-agent.ts';
import { formOf, headingOf, rowsOf, wrongOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, standing, tally } from './apps.ts';
import { approve, beginAt, deviceFlow, enterCode, letIn, pollFor, tvDocument } from './devices.ts';

const clients = [
  tvDocument('tv', { name: 'Films & more' }),
  tvDocument('own-tv', {
    name: 'Our own',
    firstParty: true,
    applicationType: 'native',
    auth: 'none',
    secrets: undefined,
  }),
  tvDocument('strict-tv', { graceSeconds: 0 }),
  appDocument('web', { grants: ['authorization_code', 'refresh_token'] }),
];

const errorOf = async (answer: ReturnType<typeof pollFor>) => {
  const { status, body } = await answer;
  return [status, body.error];
};

describe.each(deployments)('the device flow (RFC 8628), on $name', ({ start }) => {
  let deployment: Deployment;
  let tv: TestClient;
  let person: Person;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await start({ clients, env: deviceFlow });
    tv = createApp(deployment, 'tv');
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(async () => {
    person = await newPerson(deployment);
    agent = createUserAgent(deployment);
  });

  test('discovery names the endpoint, and the answer has the fields of §3.2', async () => {
    const discovery = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    const metadata = (await discovery.json()) as Record<string, unknown>;
    expect(metadata.device_authorization_endpoint).toBe(`${deployment.issuer}/oauth2/device`);
    expect(metadata.grant_types_supported).toContain('urn:ietf:params:oauth:grant-type:device_code');
    const { headers, body } = await tv.post('device', { scope: allScopes });
    expect(headers.get('cache-control')).toBe('no-store');
    const userCode = String(body.user_code);
    expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}\.[a-z0-9]+$/),
      user_code: userCode,
      verification_uri: `${deployment.issuer}/device`,
      verification_uri_complete: `${deployment.issuer}/device?user_code=${userCode}`,
      expires_in: 600,
    });
  });

  test('a person lets the device in, and its tokens work and can be refreshed', async () => {
    const { device_code, user_code } = await beginAt(tv);
    expect(await errorOf(pollFor(tv, device_code))).toEqual([400, 'authorization_pending']);
    const typed = ` ${user_code.toLowerCase().replace('-', ' ')} `;
    const confirmation = await enterCode(deployment, agent, typed);
    expect(confirmation.html).toContain(
      '<h1>Let <bdi>Films &amp; more</bdi> on a device use your account?</h1>',
    );
    expect(confirmation.html).toContain(`<bdi>${user_code}</bdi>`);
    expect(confirmation.html).toContain('Did somebody send you this code');
    expect(confirmation.html).toContain('It asked from <bdi>127.0.0.1</bdi>');
    const done = await letIn(agent, confirmation, person);
    expect([done.status, headingOf(done)]).toEqual([200, 'Your device is signed in']);

    const tokens = tokensOf(await pollFor(tv, device_code));
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 900 });
    expect(tokens.scope?.split(' ').sort()).toEqual(allScopes.split(' ').sort());
    expect(await standing(deployment, tv, tokens.access_token)).toBe('live');
    const { claims } = decodeJwt(tokens.access_token);
    expect(claims).toMatchObject({
      aud: deployment.audience,
      client_id: 'tv',
      permissions: ['contracts:read'],
    });
    expect(claims.family).toMatch(/^fam_/);
    expect(claims).not.toHaveProperty('sid');
    expect(decodeJwt(tokens.id_token).claims).toMatchObject({ sub: claims.sub, aud: 'tv' });
    expect(decodeJwt(tokens.id_token).claims).not.toHaveProperty('sid');
    const refreshed = tokensOf(await tv.refresh(tokens.refresh_token));
    expect(decodeJwt(refreshed.access_token).claims.family).toBe(claims.family);
    expect(await standing(deployment, tv, refreshed.access_token)).toBe('live');
  });

  test('a code is found in letters of full width, and with characters that no code has', async () => {
    const { user_code } = await beginAt(tv);
    const wide = user_code.replace(/[A-Z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0));
    for (const typed of [wide, wide.toLowerCase(), `_${user_code}1`]) {
      const confirmation = await enterCode(deployment, agent, typed);
      expect(confirmation.html).toContain(`<bdi>${user_code}</bdi>`);
    }
  });

  test('the device stays signed in when the browser signs out, and can be ended on the account page', async () => {
    const { device_code, user_code } = await beginAt(tv);
    await approve(deployment, agent, user_code, person);
    const before = await beginAt(tv);
    await approve(deployment, agent, before.user_code, person);
    await signOut(deployment, agent);
    const tokens = tokensOf(await pollFor(tv, device_code));
    const later = tokensOf(await pollFor(tv, before.device_code));
    expect(await standing(deployment, tv, tokens.access_token)).toBe('live');
    const refreshed = tokensOf(await tv.refresh(tokens.refresh_token));

    const page = await openAccount(deployment, agent, person);
    const rows = rowsOf(page, 'places').filter((row) => row.startsWith('Films &amp; more'));
    expect(rows).toHaveLength(2);
    const { family } = decodeJwt(tokens.access_token).claims;
    await agent.submit(formOf(page, 'end', String(family)), {});
    expect(await standing(deployment, tv, refreshed.access_token)).toBe('dead');
    expect((await tv.refresh(refreshed.refresh_token)).body.error).toBe('invalid_grant');
    expect(await standing(deployment, tv, later.access_token)).toBe('live');

    const account = await openAccount(deployment, agent, person);
    expect(rowsOf(account, 'consented').join()).toContain('Films &amp; more');
    await agent.submit(formOf(account, 'withdraw', 'value="tv"'), {});
    expect(await standing(deployment, tv, later.access_token)).toBe('dead');
  });

  test('the person is asked for consent once, and never for a first-party app', async () => {
    const first = await beginAt(tv);
    await approve(deployment, agent, first.user_code, person);
    const again = await beginAt(tv);
    const done = await agent.submit(await enterCode(deployment, agent, again.user_code), { confirm: 'yes' });
    expect(headingOf(done)).toBe('Your device is signed in');
    const more = await beginAt(tv, `${allScopes} offline_access`);
    const asked = await agent.submit(await enterCode(deployment, agent, more.user_code), { confirm: 'yes' });
    expect(asked.html).toContain('name="decision"');

    const own = createApp(deployment, 'own-tv', 'public');
    const { device_code, user_code } = await beginAt(own);
    const confirmation = await enterCode(deployment, agent, user_code);
    expect(confirmation.html).toContain(`<bdi>${person.email}</bdi>`);
    const let_in = await agent.submit(confirmation, { confirm: 'yes' });
    expect(headingOf(let_in)).toBe('Your device is signed in');
    expect(decodeJwt(tokensOf(await pollFor(own, device_code)).access_token).claims).toHaveProperty('roles');
  });

  test.each(['on the page with the code', 'on the consent page'])(
    'denied %s: the device gets access_denied at every poll',
    async (where) => {
      const { device_code, user_code } = await beginAt(tv);
      let page = await enterCode(deployment, agent, user_code);
      if (where === 'on the page with the code') page = await agent.submit(page, { abort: 'yes' });
      else {
        page = await agent.submit(await agent.submit(page, { confirm: 'yes' }), { ...person });
        page = await agent.submit(page, { decision: 'deny' });
      }
      expect([page.status, headingOf(page)]).toEqual([200, 'The device isn’t signed in']);
      for (const _ of [1, 2, 3])
        expect(await errorOf(pollFor(tv, device_code))).toEqual([400, 'access_denied']);
      const late = await enterCode(deployment, createUserAgent(deployment), user_code);
      expect(wrongOf(late)).toBe('This code was used already. Ask the device for a new one.');
    },
  );

  test('a device that polls too often gets slow_down until the person decides', async () => {
    const { device_code, user_code } = await beginAt(tv);
    const errors = await atOnce(20, async () => (await pollFor(tv, device_code)).body.error);
    const { authorization_pending: pending = 0, slow_down: slower = 0, ...others } = tally(errors);
    expect(others).toEqual({});
    expect(pending).toBeGreaterThanOrEqual(2);
    expect(slower).toBeGreaterThanOrEqual(10);
    await approve(deployment, agent, user_code, person);
    expect((await pollFor(tv, device_code)).status).toBe(200);
  });

  test('another client gets nothing for the code and doesn’t spend it', async () => {
    const { device_code, user_code } = await beginAt(tv);
    await approve(deployment, agent, user_code, person);
    expect(await errorOf(pollFor(createApp(deployment, 'strict-tv'), device_code))).toEqual([
      400,
      'invalid_grant',
    ]);
    expect(await errorOf(pollFor(createApp(deployment, 'tv', 'wrong'), device_code))).toEqual([
      401,
      'invalid_client',
    ]);
    expect(await errorOf(pollFor(tv, user_code))).toEqual([400, 'invalid_grant']);
    expect(await errorOf(pollFor(tv, 'never-issued'))).toEqual([400, 'invalid_grant']);
    expect(await errorOf(pollFor(createApp(deployment, 'web'), device_code))).toEqual([
      400,
      'unauthorized_client',
    ]);
    expect(await errorOf(createApp(deployment, 'web').post('device', {}))).toEqual([
      400,
      'unauthorized_client',
    ]);
    expect((await pollFor(tv, device_code)).status).toBe(200);
  });

  test('within the grace a repeat ends nothing; after the grace it ends the family and no other', async () => {
    const strict = createApp(deployment, 'strict-tv');
    const [one, other] = [await beginAt(strict), await beginAt(strict)];
    const patient = await beginAt(tv);
    await approve(deployment, agent, one.user_code, person);
    await approve(deployment, agent, other.user_code, person);
    await approve(deployment, agent, patient.user_code, person);
    const [kept, ended] = [
      tokensOf(await pollFor(strict, other.device_code)),
      tokensOf(await pollFor(strict, one.device_code)),
    ];
    const held = tokensOf(await pollFor(tv, patient.device_code));
    for (const _ of [1, 2])
      expect(await errorOf(pollFor(tv, patient.device_code))).toEqual([400, 'invalid_grant']);
    expect(await standing(deployment, tv, held.access_token)).toBe('live');
    expect(await errorOf(pollFor(strict, one.device_code))).toEqual([400, 'invalid_grant']);
    expect(await standing(deployment, strict, ended.access_token)).toBe('dead');
    expect((await strict.refresh(ended.refresh_token)).body.error).toBe('invalid_grant');
    expect(await standing(deployment, strict, kept.access_token)).toBe('live');
  });

  describe('the page for the code', () => {
    test('asks again, and shows the reason', async () => {
      for (const [typed, message] of [
        ['', 'Enter the code that the device shows.'],
        ['BBBB-BBBB', 'There is no such code, or it has expired. Check what the device shows and try again.'],
        ['"><b>', 'There is no such code, or it has expired. Check what the device shows and try again.'],
      ]) {
        const page = await enterCode(deployment, agent, typed ?? '');
        expect([page.status, wrongOf(page)]).toEqual([400, message]);
        expect(page.html).not.toContain('<b>');
        expect(page.html).not.toMatch(/<script|onfocus|style=/);
        // The form on the same page accepts a valid code.
        const { user_code } = await beginAt(tv);
        expect((await agent.submit(page, { user_code })).html).toContain(`<bdi>${user_code}</bdi>`);
      }
    });

    test('contains the code from the address, and submits nothing without the person', async () => {
      const { device_code, user_code, verification_uri_complete } = await beginAt(tv);
      const page = await agent.get(verification_uri_complete);
      expect(page.status).toBe(200);
      expect(page.html).toContain(`value="${user_code}"`);
      expect(page.html).not.toContain('<script');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      const confirmation = await agent.submit(page, { user_code });
      await letIn(agent, confirmation, person);
      expect((await pollFor(tv, device_code)).status).toBe(200);
    });

    test('refuses a form of another page or without its cookie', async () => {
      const { device_code, user_code } = await beginAt(tv);
      const confirmation = await enterCode(deployment, agent, user_code);
      const stranger = createUserAgent(deployment);
      const other = createUserAgent(deployment);
      await other.get(`${deployment.issuer}/device`);
      for (const browser of [stranger, other]) {
        const page = await browser.submit(confirmation, { confirm: 'yes' });
        expect([page.status, wrongOf(page)]).toEqual([
          400,
          'This page was out of date, or this browser didn’t keep its cookie. Allow cookies for this site and try again.',
        ]);
      }
      expect(await errorOf(pollFor(tv, device_code))).toEqual([400, 'authorization_pending']);
      expect(headingOf(await letIn(agent, confirmation, person))).toBe('Your device is signed in');
    });

    test('a code belongs to the browser that confirmed it first, which can return to it', async () => {
      const { device_code, user_code } = await beginAt(tv);
      const late = createUserAgent(deployment);
      const used = 'This code was used already. Ask the device for a new one.';
      const others: [UserAgent, decision: string][] = [
        [createUserAgent(deployment), 'confirm'],
        [createUserAgent(deployment), 'abort'],
      ];
      const seen: [UserAgent, string, Page][] = [];
      for (const [other, decision] of others)
        seen.push([other, decision, await enterCode(deployment, other, user_code)]);
      await agent.submit(await enterCode(deployment, agent, user_code), { confirm: 'yes' });
      for (const [other, decision, page] of seen)
        expect(wrongOf(await other.submit(page, { [decision]: 'yes' }))).toBe(used);
      expect(wrongOf(await enterCode(deployment, late, user_code))).toBe(used);
      const again = await enterCode(deployment, agent, user_code);
      expect(headingOf(await letIn(agent, again, person))).toBe('Your device is signed in');
      expect((await pollFor(tv, device_code)).status).toBe(200);
    });

    test('is in German for a browser that prefers German', async () => {
      const page = await deployment.fetch(`${deployment.issuer}/device`, {
        headers: { 'accept-language': 'de', accept: 'text/html' },
      });
      expect(await page.text()).toContain('<h1>Ein Gerät anmelden</h1>');
    });

    test('a sign-in that is finished in another browser doesn’t let the device in', async () => {
      const own = createApp(deployment, 'own-tv', 'public');
      const { device_code, user_code } = await beginAt(own);
      const signIn = await agent.submit(await enterCode(deployment, agent, user_code), { confirm: 'yes' });
      const cookie = cookieHeader(agent);
      const body = new URLSearchParams({ csrf: hiddenField(signIn, 'csrf'), ...person });
      const init = { method: 'POST', headers: { cookie }, body };
      const elsewhere = await deployment.fetch(stepOf(signIn, '/sign-in'), init);
      expect(elsewhere.status).toBe(303);
      const page = await agent.get(elsewhere.headers.get('location') ?? '');
      expect([page.status, page.url]).toEqual([400, expect.stringContaining('/device/')]);
      expect((await pollFor(own, device_code)).status).toBe(400);
    });
  });
});

test('without the setting, its endpoints don’t exist', async () => {
  const deployment = await startEmbedded({});
  try {
    const discovery = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    expect(await discovery.json()).not.toHaveProperty('device_authorization_endpoint');
    for (const [path, method] of [
      ['/device', 'GET'],
      ['/device', 'POST'],
      ['/device/abc', 'GET'],
      ['/oauth2/device', 'POST'],
    ] as const) {
      const answer = await deployment.fetch(`${deployment.issuer}${path}`, { method });
      await answer.arrayBuffer();
      expect([path, answer.status]).toEqual([path, 404]);
    }
  } finally {
    await deployment.stop();
  }
}, 60_000);
