import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type Parameters,
  type TestClient,
} from '../support/test-client.ts';
import { createUserAgent, type Page, signInAndAgree, type UserAgent } from '../support/user-agent.ts';

const jane = { email: 'jane@example.com', password: demo.password };

describe('which page a person gets', () => {
  let deployment: InProcess;
  let web: TestClient;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await startInProcess([]);
    web = createTestClient(deployment, demoApps.web);
    const { accounts } = deployment.ports;
    const john = await accounts.findByEmail(demo.email);
    if (!john) throw new Error('there is no demo account');
    await accounts.insert({ ...john, id: 'user_jane', email: jane.email });
  }, 120_000);
  afterAll(() => deployment?.stop());
  beforeEach(async () => {
    agent = createUserAgent(deployment);
  });

  const ask = (parameters: Parameters = {}, client = web) => agent.get(client.authorizationUrl(parameters));
  const signInAs = (page: Page, { email, password }: typeof jane) => agent.submit(page, { email, password });
  const returned = ({ url }: Page) => {
    expect(url).toMatch(/^http:\/\/localhost:8080\//);
    return Object.fromEntries(new URL(url).searchParams);
  };
  /** What the page asks for, or 'nothing' if the browser returned to the app. */
  const asked = ({ html, status }: Page) => {
    if (html.includes('name="password"')) return 'password';
    return html.includes('name="decision"') ? 'consent' : status === 0 ? 'nothing' : html;
  };
  const idTokenOf = async (page: Page) => {
    const { body } = await web.redeem(String(returned(page).code));
    return { token: String(body.id_token), claims: decodeJwt(String(body.id_token)).claims };
  };
  const signedIn = () => ask().then((page) => signInAndAgree(agent, page, demo));
  const refused = (error: string) => ({ error, state: 'a-state', iss: deployment.issuer });

  describe('prompt=none', () => {
    const none = { prompt: 'none' };

    test('without a session: login_required', async () => {
      expect(returned(await ask(none))).toMatchObject(refused('login_required'));
    });

    test('with a session but without consent: consent_required', async () => {
      await signedIn();
      expect(returned(await ask({ ...none, scope: 'openid profile' }))).toMatchObject(
        refused('consent_required'),
      );
      const spa = createTestClient(deployment, demoApps.spa);
      expect(returned(await ask({ ...none, scope: 'openid contracts:read' }, spa))).toMatchObject(
        refused('consent_required'),
      );
    });

    test('with session and consent: a code; a first party needs no consent', async () => {
      await signedIn();
      expect(returned(await ask(none))).toEqual({
        code: expect.any(String),
        state: 'a-state',
        iss: deployment.issuer,
      });
      const ours = createTestClient(deployment, demoApps.firstParty);
      expect(returned(await ask({ ...none, scope: 'openid contracts:write' }, ours))).toHaveProperty('code');
    });
  });

  test('prompt=login asks for the password despite a session, and auth_time is later', async () => {
    await signedIn();
    deployment.advance(100);
    const before = await idTokenOf(await ask({ max_age: '1000' }));
    const page = await ask({ prompt: 'login' });
    expect(asked(page)).toBe('password');
    const after = await idTokenOf(await signInAs(page, demo));
    expect(Number(after.claims.auth_time) - Number(before.claims.auth_time)).toBe(100);
  });

  test('prompt=consent asks for consent again but not for the password; a denial returns no code', async () => {
    await signedIn();
    const page = await ask({ prompt: 'consent' });
    expect(asked(page)).toBe('consent');
    expect(returned(await agent.submit(page, { decision: 'allow' }))).toHaveProperty('code');
    const declined = await agent.submit(await ask({ prompt: 'consent' }), { decision: 'deny' });
    expect(returned(declined)).toMatchObject(refused('access_denied'));
    expect(returned(declined)).not.toHaveProperty('code');
  });

  test('prompt=login consent asks for both', async () => {
    await signedIn();
    const page = await ask({ prompt: 'login consent' });
    expect(asked(page)).toBe('password');
    const next = await signInAs(page, demo);
    expect(asked(next)).toBe('consent');
    expect(asked(await agent.submit(next, { decision: 'allow' }))).toBe('nothing');
  });

  describe('prompt=select_account', () => {
    const choose = { prompt: 'select_account' };

    test('lets the person keep the account that is signed in, without a password', async () => {
      await signedIn();
      const before = await idTokenOf(await ask());
      const page = await ask(choose);
      expect(asked(page)).toBe('password');
      expect(page.html).toContain(`Continue as ${demo.email}`);
      expect(page.html).toContain('another account');
      expect(page.html).not.toMatch(/<input[^>]*name="email"[^>]*value=/);
      const after = await idTokenOf(await agent.submit(page, { continue: 'yes' }));
      expect(after.claims).toMatchObject({ sub: before.claims.sub, auth_time: before.claims.auth_time });
    });

    test('lets another person sign in', async () => {
      await signedIn();
      const leaving = await signInAs(await ask(choose), jane);
      const url = await signInAndAgree(agent, await agent.submit(leaving, {}), jane);
      expect((await idTokenOf({ url } as Page)).claims.sub).toBe('user_jane');
    });

    test('without a session: the sign-in page, once, with nobody to continue as', async () => {
      const page = await ask(choose);
      expect(page.html).not.toContain('Continue as');
      expect(asked(await agent.submit(page, { continue: 'yes' }))).toBe('password');
      expect(await signInAndAgree(agent, await ask(choose), demo)).toContain('code=');
    });

    test('with login and consent: all three', async () => {
      await signedIn();
      const page = await ask({ prompt: 'consent select_account login' });
      const next = await agent.submit(page, { continue: 'yes' });
      expect([asked(next), next.html.includes('Continue as')]).toEqual(['password', false]);
      const last = await signInAs(next, demo);
      expect(asked(last)).toBe('consent');
      expect(asked(await agent.submit(last, { decision: 'allow' }))).toBe('nothing');
    });

    test('a person who has to sign in cannot continue without', async () => {
      await signedIn();
      expect(asked(await agent.submit(await ask({ prompt: 'login' }), { continue: 'yes' }))).toBe('password');
    });

    test('is advertised with the other values', async () => {
      const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
      const { prompt_values_supported: values } = (await answer.json()) as Record<string, string[]>;
      expect(values?.sort()).toEqual(['consent', 'login', 'none', 'select_account']);
    });
  });

  test('max_age asks for the password after this time and not before; auth_time is the time of sign-in', async () => {
    await signedIn();
    const signedInAt = Number((await idTokenOf(await ask({ max_age: '100' }))).claims.auth_time);
    deployment.advance(100);
    expect((await idTokenOf(await ask({ max_age: '100' }))).claims.auth_time).toBe(signedInAt);
    deployment.advance(1);
    expect(returned(await ask({ max_age: '100', prompt: 'none' }))).toMatchObject(refused('login_required'));
    const page = await ask({ max_age: '100' });
    expect(asked(page)).toBe('password');
    expect((await idTokenOf(await signInAs(page, demo))).claims.auth_time).toBe(signedInAt + 101);
    expect(asked(await ask({ max_age: '0' }))).toBe('password');
  });

  test('login_hint fills in the address as text', async () => {
    const hint = '"><script>alert(1)</script>';
    expect((await ask({ login_hint: jane.email })).html).toMatch(
      /<input[^>]*name="email"[^>]*value="jane@example.com"/,
    );
    const page = await ask({ login_hint: hint });
    expect(page.html).not.toContain('<script>alert');
    expect(page.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  describe('id_token_hint', () => {
    const hintOf = async (credentials = demo as typeof jane) => {
      const other = createUserAgent(deployment);
      const url = await signInAndAgree(other, await other.get(web.authorizationUrl()), credentials);
      return (await idTokenOf({ url } as Page)).token;
    };

    test('of the signed-in person: a code, even if the token has expired', async () => {
      await signedIn();
      const id_token_hint = await hintOf();
      expect(returned(await ask({ id_token_hint, prompt: 'none' }))).toHaveProperty('code');
      deployment.advance(3700);
      expect(returned(await ask({ id_token_hint, prompt: 'none' }))).toHaveProperty('code');
    });

    test('of another person: only that person can continue, by signing in', async () => {
      await signedIn();
      const id_token_hint = await hintOf(jane);
      expect(returned(await ask({ id_token_hint, prompt: 'none' }))).toMatchObject(refused('login_required'));
      const page = await ask({ id_token_hint });
      expect(asked(page)).toBe('password');
      expect(returned(await signInAs(page, demo))).toMatchObject(refused('login_required'));
    });

    test("that isn't our id token is refused", async () => {
      await signedIn();
      const { access_token } = await web.signIn(agent, { scope: 'openid contracts:read' });
      const [header, claims] = (await hintOf()).split('.');
      for (const id_token_hint of [access_token, `${header}.${claims}.AAAA`])
        expect(returned(await ask({ id_token_hint, prompt: 'none' }))).toMatchObject(
          refused('invalid_request'),
        );
    });
  });

  test('a second person can sign in to the same browser, which signs the first one out', async () => {
    const johns = await web.signIn(agent);
    const page = await ask({ prompt: 'login' });
    // A form that submits itself ends the first session. The page's policy allows its script.
    const leaving = await signInAs(page, jane);
    const script = /<script>(?<text>[\s\S]*?)<\/script>/.exec(leaving.html)?.groups?.text ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(leaving.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
    const url = await signInAndAgree(agent, await agent.submit(leaving, {}), jane);
    expect((await idTokenOf({ url } as Page)).claims.sub).toBe('user_jane');
    expect((await web.refresh(johns.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await idTokenOf(await ask({ prompt: 'none' }))).claims.sub).toBe('user_jane');
  });
});
