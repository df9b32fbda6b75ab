import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { signOut } from '../support/sign-in.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type Parameters,
  type TestClient,
} from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree } from '../support/user-agent.ts';

const redirectUri = 'http://localhost:8080/consent';
const scopes = ['openid', 'profile', 'email', 'offline_access', 'contracts:read'];
const scheme = 'com.example.own:/callback';
const claimed = 'https://own.example.com/callback';
const day = 86_400;

describe("a person's consent", () => {
  let deployment: InProcess;
  beforeAll(async () => {
    const app = { name: 'Some app', auth: 'none', redirectUris: [redirectUri], scopes };
    const documents = Array.from({ length: 16 }, (_, index) => ({ ...app, id: `app-${index}` }));
    const own = { name: 'Own', auth: 'none', firstParty: true, scopes };
    const natives = [
      { ...own, id: 'own-native', applicationType: 'native', redirectUris: [scheme, claimed] },
      { ...own, id: 'own-web', redirectUris: [claimed] },
    ];
    const online = { ...app, id: 'app-online', scopes: ['openid'] };
    deployment = await startInProcess([...documents, ...natives, online]);
    const { accounts } = deployment.ports;
    const john = await accounts.findByEmail(demo.email);
    if (john) await accounts.insert({ ...john, id: 'user_jane', email: 'jane@example.com' });
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** An app without any consent. Each test has its own. */
  let next = 0;
  let app: TestClient;
  beforeEach(() => {
    app = createTestClient(deployment, { id: `app-${next}`, redirectUri });
    next += 1;
  });

  /** Signs in with a new browser, and returns the page that follows. */
  const arrive = async (parameters: Parameters, email = demo.email, client = app) => {
    const agent = createUserAgent(deployment);
    const page = await agent.get(client.authorizationUrl(parameters));
    return { agent, page: await agent.submit(page, { email, password: demo.password }) };
  };
  const asksConsent = ({ html }: Page) => html.includes('name="decision"');
  const decide = async (parameters: Parameters, decision: string) => {
    const { agent, page } = await arrive(parameters);
    expect(asksConsent(page)).toBe(true);
    return { page, answer: new URL((await agent.submit(page, { decision })).url).searchParams };
  };

  test('is stored: later sign-ins, in any browser, show no consent page', async () => {
    const scope = 'openid email contracts:read';
    const { page } = await decide({ scope }, 'allow');
    expect(page.html).toContain('Read your contracts');
    expect(asksConsent((await arrive({ scope })).page)).toBe(false);
    expect(asksConsent((await arrive({ scope: 'openid' })).page)).toBe(false);
  });

  test('is needed every time for a first-party app whose redirect URI another program could register', async () => {
    const native = createTestClient(deployment, { id: 'own-native', redirectUri: scheme });
    const { agent, page } = await arrive({}, demo.email, native);
    expect(asksConsent(page)).toBe(true);
    expect((await agent.submit(page, { decision: 'allow' })).url).toMatch(
      /^com\.example\.own:\/callback\?code=/,
    );
    const again = await agent.get(native.authorizationUrl());
    expect(asksConsent(again)).toBe(true);
    expect((await agent.submit(again, { decision: 'deny' })).url).toContain('error=access_denied');
    const silent = await agent.get(native.authorizationUrl({ prompt: 'none' }));
    expect(silent.url).toContain('error=interaction_required');
    for (const id of ['own-native', 'own-web']) {
      const sure = createTestClient(deployment, { id, redirectUri: claimed });
      expect((await agent.get(sure.authorizationUrl())).url).toMatch(
        /^https:\/\/own\.example\.com\/callback\?code=/,
      );
    }
  });

  test('is requested again when a scope is added, and then covers all scopes', async () => {
    await decide({ scope: 'openid email' }, 'allow');
    await decide({ scope: 'openid contracts:read' }, 'allow');
    expect(asksConsent((await arrive({ scope: 'openid email contracts:read' })).page)).toBe(false);
    const { page } = await decide({ scope: 'openid profile' }, 'allow');
    expect(page.html).not.toContain('Read your contracts');
  });

  test('gives a token only the scopes of its request', async () => {
    await decide({ scope: 'openid email contracts:read' }, 'allow');
    const { agent } = await arrive({ scope: 'openid' });
    const tokens = await app.signIn(agent, { scope: 'openid' });
    expect(tokens.scope).toBe('openid');
    expect(decodeJwt(tokens.access_token).claims).not.toHaveProperty('email');
  });

  test('belongs to one person and one app', async () => {
    await decide({}, 'allow');
    expect(asksConsent((await arrive({}, 'jane@example.com')).page)).toBe(true);
    const other = createTestClient(deployment, { id: 'app-15', redirectUri });
    expect(asksConsent((await arrive({}, demo.email, other)).page)).toBe(true);
  });

  test('is not stored if the person declined', async () => {
    const { answer } = await decide({ scope: 'openid email' }, 'deny');
    expect(Object.fromEntries(answer)).toMatchObject({
      error: 'access_denied',
      state: 'a-state',
      iss: deployment.issuer,
    });
    expect(answer.has('code')).toBe(false);
    await decide({ scope: 'openid email' }, 'allow');
    const refused = await decide({ scope: 'openid email profile' }, 'deny');
    expect(refused.answer.get('error')).toBe('access_denied');
    expect(asksConsent((await arrive({ scope: 'openid email' })).page)).toBe(false);
  });

  test('is never requested by a first party with a safe redirect URI', async () => {
    const ours = createTestClient(deployment, demoApps.firstParty);
    const { page } = await arrive(
      { scope: 'openid email contracts:read contracts:write', prompt: 'consent' },
      demo.email,
      ours,
    );
    expect(page.url).toContain('code=');
  });

  describe('offline_access (OpenID Connect Core §11)', () => {
    const scope = 'openid offline_access';
    const signIn = async (parameters: Parameters) => {
      const { agent, page } = await arrive(parameters);
      const url = await signInAndAgree(agent, page, demo);
      const { body } = await app.redeem(String(new URL(url).searchParams.get('code')));
      return { agent, granted: String(body.scope), refreshToken: String(body.refresh_token) };
    };
    const refreshes = async (refreshToken: string) => {
      const { status, body } = await app.refresh(refreshToken);
      expect([200, 400]).toContain(status);
      if (status === 400) expect(body.error).toBe('invalid_grant');
      return String(body.refresh_token ?? 'refused');
    };

    test('is asked for once, whatever the prompt, and kept from then on', async () => {
      await decide({ scope: 'openid' }, 'allow');
      const silent = createUserAgent(deployment);
      const first = await signInAndAgree(silent, await silent.get(app.authorizationUrl()), demo);
      expect(first).toContain('code=');
      const unasked = await silent.get(app.authorizationUrl({ scope, prompt: 'none' }));
      expect(unasked.url).toContain('error=');
      const { page } = await decide({ scope }, 'allow');
      expect(page.html).toContain('Keep this access while');
      for (const parameters of [
        { scope },
        { scope, prompt: 'consent' },
        { scope: `offline_access openid` },
      ]) {
        const { agent, page } = await arrive(parameters);
        expect(asksConsent(page)).toBe(parameters.prompt === 'consent');
        const url = await signInAndAgree(agent, page, demo);
        const { body } = await app.redeem(String(new URL(url).searchParams.get('code')));
        expect(String(body.scope).split(' ').sort()).toEqual(['offline_access', 'openid']);
      }
      const again = await silent.get(app.authorizationUrl({ scope, prompt: 'none' }));
      expect(again.url).toContain('code=');
    });

    test('is given to a first party without a question, also in a pushed request', async () => {
      const ours = createTestClient(deployment, demoApps.firstParty);
      const { page } = await arrive({ scope }, demo.email, ours);
      const tokens = await ours.redeem(String(new URL(page.url).searchParams.get('code')));
      expect(tokens.body.scope).toBe(scope);
      const { searchParams } = new URL(ours.authorizationUrl({ scope }));
      const pushed = await ours.post('par', Object.fromEntries(searchParams));
      const request_uri = String(pushed.body.request_uri);
      const agent = createUserAgent(deployment);
      const query = new URLSearchParams({ client_id: ours.id, request_uri });
      const form = await agent.get(`${deployment.issuer}/oauth2/authorize?${query}`);
      const url = new URL(await signInAndAgree(agent, form, demo));
      const { body } = await ours.redeem(String(url.searchParams.get('code')));
      expect(body.scope).toBe(scope);
    });

    test('is ignored, at the sign-in and at each refresh, where the client may not have it', async () => {
      const without = createTestClient(deployment, { id: 'app-online', redirectUri });
      for (const prompt of [undefined, 'consent']) {
        const { agent, page } = await arrive({ scope, prompt }, demo.email, without);
        const url = new URL(await signInAndAgree(agent, page, demo));
        const { body } = await without.redeem(String(url.searchParams.get('code')));
        expect(body.scope).toBe('openid');
        const refreshed = await without.refresh(String(body.refresh_token), { scope });
        expect(refreshed).toMatchObject({ status: 200, body: { scope: 'openid' } });
      }
    });

    test('is ignored at the refresh of a sign-in that did not ask for it', async () => {
      const { refreshToken } = await signIn({ scope: 'openid' });
      const { status, body } = await app.refresh(refreshToken, { scope });
      expect([status, body.scope]).toEqual([200, 'openid']);
    });

    test('keeps a family beyond its session; without it, the family ends with the session', async () => {
      const without = await signIn({ scope: 'openid' });
      const beyond = await signIn({ scope, prompt: 'consent' });
      const [early, kept] = [await refreshes(without.refreshToken), await refreshes(beyond.refreshToken)];
      expect(early).not.toBe('refused');
      deployment.advance(20 * day);
      expect(await refreshes(early)).toBe('refused');
      expect(await refreshes(kept)).not.toBe('refused');
    });

    test('sign-out ends a family without it at once, and not one with it', async () => {
      const without = await signIn({ scope: 'openid' });
      const kept = await app.signIn(without.agent, { scope, prompt: 'consent' });
      await signOut(deployment, without.agent);
      expect(await refreshes(without.refreshToken)).toBe('refused');
      expect(await refreshes(String(kept.refresh_token))).not.toBe('refused');
    });
  });
});
