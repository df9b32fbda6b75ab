import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { callJsonApi } from '../support/json-api.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type Parameters,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree } from '../support/user-agent.ts';
import { headingOf } from './account-pages.ts';
import { beginAt, deviceFlow, enterCode, letIn, pollFor } from './devices.ts';

const redirectUri = 'http://localhost:8080/permitted';
const scopes = ['openid', 'offline_access', 'contracts:read', 'contracts:write'];
const both = 'openid contracts:read contracts:write';

describe('a scope that stands for a permission', () => {
  let deployment: InProcess;
  let ours: TestClient;
  beforeAll(async () => {
    const app = { auth: 'none', redirectUris: [redirectUri], scopes };
    const grants = ['authorization_code', 'refresh_token', 'device_code'];
    const third = Array.from({ length: 12 }, (_, index) => ({
      ...app,
      grants,
      id: `app-${index}`,
      name: 'App',
    }));
    const plain = { ...app, id: 'own-plain', name: 'Own', firstParty: true };
    deployment = await startInProcess([...third, plain], deviceFlow);
    ours = createTestClient(deployment, demoApps.firstParty);
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** A person with these roles, and a third-party client without any consent. */
  let person: { id: string; email: string; password: string };
  let app: TestClient;
  let next = 0;
  beforeEach(async () => {
    const { accounts } = deployment.ports;
    const john = await accounts.findByEmail(demo.email);
    if (!john) throw new Error('there is no demo account');
    person = { id: `user_${next}`, email: `person-${next}@example.com`, password: demo.password };
    await accounts.insert({ ...john, id: person.id, email: person.email, roles: [] });
    app = createTestClient(deployment, { id: `app-${next}`, redirectUri });
    next += 1;
  });
  const giveRoles = (...roles: string[]) =>
    deployment.unitOfWork.run((stores) => stores.accounts.update(person.id, { roles }, Date.now()));

  const arrive = async (client: TestClient, parameters: Parameters = {}) => {
    const agent = createUserAgent(deployment);
    const page = await agent.get(client.authorizationUrl({ scope: both, ...parameters }));
    return { agent, page: await agent.submit(page, person) };
  };
  const signIn = async (client: TestClient, parameters: Parameters = {}) => {
    const { agent, page } = await arrive(client, parameters);
    const code = new URL(await signInAndAgree(agent, page, person)).searchParams.get('code');
    return tokensOf(await client.redeem(code ?? ''));
  };
  const claimsOf = (token: unknown) => decodeJwt(String(token)).claims;
  const sorted = (scope: unknown) => String(scope).split(' ').sort().join(' ');
  const asksConsent = ({ html }: Page) => html.includes('name="decision"');

  test('is in no token of a person without that permission, with any client and grant', async () => {
    const { email, password } = person;
    const login = await callJsonApi(deployment, '/auth/login', { email, password });
    const byPassword = await ours.post('token', {
      grant_type: 'password',
      username: email,
      password,
      scope: both,
    });
    const { device_code, user_code } = await beginAt(app, both);
    const agent = createUserAgent(deployment);
    await letIn(agent, await enterCode(deployment, agent, user_code), person);
    const byDevice = tokensOf(await pollFor(app, device_code));
    const byCode = [await signIn(ours), await signIn(app)];
    const refreshed = await Promise.all(
      [ours, app].map(async (client, index) => tokensOf(await client.refresh(byCode[index]?.refresh_token))),
    );
    const answers = [byPassword.body, byDevice, ...byCode, ...refreshed];
    for (const { scope, access_token } of answers)
      expect([scope, claimsOf(access_token).scope]).toEqual(['openid', 'openid']);
    const byLogin = claimsOf(login.body.accessToken);
    expect(sorted(byLogin.scope)).toBe('email offline_access openid profile');
    expect(byLogin).toMatchObject({ aud: deployment.audience, permissions: [] });
  });

  test('is there as far as the permissions go', async () => {
    await giveRoles('CLIENT');
    for (const client of [ours, app]) {
      const tokens = await signIn(client);
      expect(sorted(tokens.scope)).toBe('contracts:read openid');
      expect(claimsOf(tokens.access_token)).toMatchObject({
        aud: deployment.audience,
        scope: tokens.scope,
        permissions: ['contracts:read'],
      });
    }
  });

  test('comes and goes with the role at each refresh, and the response says so', async () => {
    await giveRoles('CLIENT');
    const [first, third] = [await signIn(ours), await signIn(app)];
    const families = [
      { client: ours, token: first.refresh_token },
      { client: app, token: third.refresh_token },
    ];
    for (const [roles, scope] of [
      [[], 'openid'],
      [['CLIENT'], 'contracts:read openid'],
    ] as const) {
      await giveRoles(...roles);
      for (const family of families) {
        const tokens = tokensOf(await family.client.refresh(family.token));
        family.token = tokens.refresh_token;
        expect(sorted(tokens.scope)).toBe(scope);
        expect(sorted(claimsOf(tokens.access_token).scope)).toBe(scope);
      }
    }
  });

  test('comes with a role that is given for the first time, where the person need not agree', async () => {
    const tokens = await signIn(ours);
    expect(tokens.scope).toBe('openid');
    await giveRoles('CLIENT');
    const refreshed = tokensOf(await ours.refresh(tokens.refresh_token));
    expect(sorted(refreshed.scope)).toBe('contracts:read openid');
  });

  test('is ignored at a refresh that repeats the request’s scopes; one that was never asked for is refused', async () => {
    await giveRoles('CLIENT');
    const tokens = await signIn(app);
    const scope = `${both} offline_access`;
    const refreshed = tokensOf(await app.refresh(tokens.refresh_token, { scope }));
    expect(sorted(refreshed.scope)).toBe('contracts:read openid');
    const told = tokensOf(await app.refresh(refreshed.refresh_token, { scope: refreshed.scope }));
    expect(told.scope).toBe(refreshed.scope);
    const more = await app.refresh(told.refresh_token, { scope: 'openid email' });
    expect(more.body.error).toBe('invalid_scope');
  });

  test('makes no difference between a refresh and its repeat that names what was given', async () => {
    const tokens = await signIn(ours);
    const first = await ours.refresh(tokens.refresh_token);
    const again = await ours.refresh(tokens.refresh_token, { scope: tokens.scope });
    expect(again).toMatchObject({ status: 200, body: first.body });
  });

  test('is on no consent page of a person who cannot give it, and is no reason to ask', async () => {
    const { agent, page } = await arrive(app);
    expect(page.html).toContain('Recognize you');
    expect(page.html).not.toContain('contracts');
    expect((await agent.submit(page, { decision: 'allow' })).url).toContain('code=');
    const parameters = { scope: `${both} offline_access`, prompt: 'consent' };
    const offline = await agent.get(app.authorizationUrl(parameters));
    expect((await agent.submit(offline, { decision: 'allow' })).url).toContain('code=');
    expect((await agent.get(app.authorizationUrl({ scope: both }))).url).toContain('code=');
    await giveRoles('CLIENT');
    const asked = await agent.get(app.authorizationUrl({ scope: both }));
    expect(asked.html).toContain('Read your contracts');
    expect(asked.html).not.toContain('Change your contracts');
  });

  test('is not agreed to when its role came after the page was shown', async () => {
    const { agent, page } = await arrive(app);
    await giveRoles('CLIENT');
    const asked = await agent.submit(page, { decision: 'allow' });
    expect(asksConsent(asked)).toBe(true);
    expect(asked.html).toContain('Read your contracts');
    expect((await agent.submit(asked, { decision: 'allow' })).url).toContain('code=');
  });

  test('stays agreed to while the role is away', async () => {
    await giveRoles('CLIENT');
    await signIn(app);
    await giveRoles();
    const { agent, page } = await arrive(app);
    expect(asksConsent(page)).toBe(false);
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const tokens = tokensOf(await app.redeem(code));
    expect(tokens.scope).toBe('openid');
    await giveRoles('CLIENT');
    expect((await agent.get(app.authorizationUrl({ scope: both }))).url).toContain('code=');
    expect(sorted(tokensOf(await app.refresh(tokens.refresh_token)).scope)).toBe('contracts:read openid');
  });

  test('without any other scope: the app gets access_denied, and so does a device', async () => {
    const scope = 'contracts:write';
    for (const client of [ours, app]) {
      const { page } = await arrive(client, { scope });
      expect(new URL(page.url).searchParams.get('error')).toBe('access_denied');
    }
    const { email: username, password } = person;
    const byPassword = await ours.post('token', { grant_type: 'password', username, password, scope });
    expect(byPassword).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const { device_code, user_code } = await beginAt(app, scope);
    const agent = createUserAgent(deployment);
    const done = await letIn(agent, await enterCode(deployment, agent, user_code), person);
    expect(headingOf(done)).toBe('The device isn’t signed in');
    expect((await pollFor(app, device_code)).body.error).toBe('access_denied');
  });

  test('that is lost later without any other: the refresh is refused, and nothing ends', async () => {
    await giveRoles('CLIENT');
    const tokens = await signIn(app, { scope: 'contracts:read' });
    await giveRoles();
    expect((await app.refresh(tokens.refresh_token)).body.error).toBe('invalid_scope');
    await giveRoles('CLIENT');
    expect((await app.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('decides about the audience: without it no token is for its API', async () => {
    const plain = createTestClient(deployment, { id: 'own-plain', redirectUri });
    for (const client of [app, plain])
      expect(claimsOf((await signIn(client)).access_token).aud).toBe(deployment.issuer);
    const resource = deployment.audience;
    const { agent, page } = await arrive(app, { resource });
    const url = new URL(await signInAndAgree(agent, page, person));
    const named = await app.redeem(url.searchParams.get('code') ?? '', { resource });
    expect(named).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });
});
