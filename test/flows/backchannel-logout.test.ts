import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { documentOf, runCommand, type SessionDocument } from '../cli/session-commands.ts';
import { eachStore, type FleetDeployment } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { type LogoutReceiver, startLogoutReceiver, verifyLogoutToken } from '../support/logout-receiver.ts';
import { newPerson, openAccount, openSignOut, signOut } from '../support/sign-in.ts';
import { decodeJwt, type TestClient, type Tokens } from '../support/test-client.ts';
import { createUserAgent, type Person, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { formOf } from './account-pages.ts';
import { allScopes, appDocument, createApp, offline } from './apps.ts';
import { approve, beginAt, pollFor, tvDocument } from './devices.ts';

jest.setTimeout(180_000);

const newPassword = 'a loud morning out';

describe.each(eachStore)('back-channel logout on $name', ({ start }) => {
  let receiver: LogoutReceiver;
  let deployment: FleetDeployment;
  let apps: Record<'web' | 'other' | 'plain' | 'own' | 'subject' | 'strict' | 'codes' | 'tv', TestClient>;
  beforeAll(async () => {
    receiver = await startLogoutReceiver();
    const at = (id: string) => ({ backchannelLogoutUri: receiver.uriOf(id) });
    deployment = await start({
      clients: [
        appDocument('web', at('web')),
        appDocument('other', at('other')),
        appDocument('plain'),
        appDocument('own', {
          ...at('own'),
          auth: 'none',
          firstParty: true,
          grants: ['authorization_code', 'refresh_token', 'password'],
        }),
        appDocument('strict', { ...at('strict'), graceSeconds: 0 }),
        appDocument('codes', {
          ...at('codes'),
          graceSeconds: 0,
          grants: ['authorization_code'],
          scopes: ['openid'],
        }),
        tvDocument('tv', at('tv')),
        appDocument('subject', { ...at('subject'), backchannelLogoutSessionRequired: false }),
      ],
      env: {
        GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '127.0.0.0/8',
        GATEHOUSE_SIGNUP: 'true',
        GATEHOUSE_DEVICE_FLOW: 'true',
      },
    });
    const app = (id: string) => createApp(deployment, id);
    apps = {
      web: app('web'),
      other: app('other'),
      plain: app('plain'),
      own: createApp(deployment, 'own', 'public'),
      subject: app('subject'),
      strict: app('strict'),
      codes: app('codes'),
      tv: app('tv'),
    };
  });
  afterAll(async () => {
    await deployment?.stop();
    await receiver?.close();
  });

  let person: Person;
  let agent: UserAgent;
  beforeEach(async () => {
    receiver.received.length = 0;
    person = await newPerson(deployment);
    agent = createUserAgent(deployment);
  });

  const signIn = (app: TestClient, parameters: Record<string, string> = { scope: allScopes }) =>
    app.signIn(agent, parameters, person);
  const sidOf = ({ id_token }: Tokens) => decodeJwt(id_token ?? '').claims.sid as string;
  const subOf = ({ id_token }: Tokens) => decodeJwt(id_token ?? '').claims.sub;
  const gatehouse = (...args: string[]) => runCommand(deployment, args);

  /** The `sid`s that an app got, each token checked. No more may come. */
  const sidsAt = async (app: TestClient, sub: unknown): Promise<(string | undefined)[]> => {
    const payloads = await Promise.all(
      receiver.of(app.id).map(({ token }) => verifyLogoutToken(deployment, app.id, token)),
    );
    for (const payload of payloads) expect(payload.sub).toBe(sub);
    expect(new Set(payloads.map(({ jti }) => jti)).size).toBe(payloads.length);
    return payloads.map(({ sid }) => sid).sort();
  };
  /** Waits until nothing is waiting to be delivered any more. */
  const settled = () =>
    waitFor(
      async () => {
        const metrics = await (await fetch(`${deployment.opsOrigins[0]}/metrics`)).text();
        return /^gatehouse_logouts_pending 0$/m.test(metrics);
      },
      { timeoutMs: 30_000, what: 'all logouts delivered' },
    );
  /** Exactly these `sid`s reached each app. */
  const expectLogouts = async (sub: unknown, expected: [TestClient, string[]][]) => {
    for (const [app, sids] of expected) if (sids.length > 0) await receiver.until(app.id, sids.length);
    await settled();
    for (const [app, sids] of expected)
      expect([app.id, await sidsAt(app, sub)]).toEqual([app.id, sids.sort()]);
    const count = expected.reduce((sum, [, sids]) => sum + sids.length, 0);
    expect(receiver.received).toHaveLength(count);
  };

  test('id tokens have the sid of the session at the app, also after a refresh, and only for apps with a URI', async () => {
    const tokens = await signIn(apps.web);
    expect(sidOf(tokens)).toMatch(/^[\w-]{16,}$/);
    const { body } = await apps.web.refresh(tokens.refresh_token);
    expect(sidOf(body as unknown as Tokens)).toBe(sidOf(tokens));
    expect(sidOf(await signIn(apps.other))).not.toBe(sidOf(tokens));
    expect(sidOf(await signIn(apps.plain))).toBeUndefined();
    const found = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    expect(await found.json()).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  test('a sign-out reaches each app of the session once, by a form post with its sid', async () => {
    const [web, again, other] = [await signIn(apps.web), await signIn(apps.web), await signIn(apps.other)];
    await signIn(apps.plain);
    expect(sidOf(again)).toBe(sidOf(web));
    await signOut(deployment, agent);
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, [sidOf(other)]],
    ]);
    const [request] = receiver.of('web');
    expect(request).toMatchObject({ method: 'POST', contentType: 'application/x-www-form-urlencoded' });
  });

  test('a person who declines to sign out everywhere leaves only the app that asked', async () => {
    const [web, other] = [await signIn(apps.web), await signIn(apps.other)];
    const page = await openSignOut(deployment, agent, { id_token_hint: web.id_token ?? '' });
    await agent.submit(page, {});
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, []],
    ]);
    await signOut(deployment, agent);
    await receiver.until('other', 1);
    expect(await sidsAt(apps.other, subOf(web))).toEqual([sidOf(other)]);
    expect(receiver.of('web')).toHaveLength(1);
  });

  test('"sign out everywhere" reaches every session of the person, in all browsers', async () => {
    const here = await signIn(apps.web, offline);
    const elsewhere = createUserAgent(deployment);
    const there = await apps.web.signIn(elsewhere, { scope: allScopes }, person);
    const account = await openAccount(deployment, agent, person);
    await agent.submit(formOf(account, 'sign-out-everywhere'), {});
    await expectLogouts(subOf(here), [[apps.web, [sidOf(here), sidOf(there)]]]);
  });

  test('a new password on the account page', async () => {
    const tokens = await signIn(apps.web);
    const account = await openAccount(deployment, agent, person);
    const typed = { currentPassword: person.password, newPassword };
    await agent.submit(formOf(account, 'password'), typed);
    await expectLogouts(subOf(tokens), [[apps.web, [sidOf(tokens)]]]);
  });

  test('a new password by the operator, without Redis and server secrets', async () => {
    const tokens = await signIn(apps.web);
    const without = { GATEHOUSE_REDIS_URL: '', GATEHOUSE_SERVER_SECRETS: '' };
    const { env, folder } = deployment;
    const { runProgram } = await import('../support/program.ts');
    const program = runProgram(['accounts', 'set-password', person.email], {
      env: { ...env, ...without },
      cwd: folder,
      input: newPassword,
    });
    expect(await program.ended).toBe(0);
    await expectLogouts(subOf(tokens), [[apps.web, [sidOf(tokens)]]]);
  });

  test('a disabled account, however often it is disabled', async () => {
    const tokens = await signIn(apps.web);
    for (const _ of [1, 2]) expect((await gatehouse('accounts', 'disable', person.email)).code).toBe(0);
    await expectLogouts(subOf(tokens), [[apps.web, [sidOf(tokens)]]]);
  });

  test('an imported account that gets another password or is disabled', async () => {
    const tokens = await signIn(apps.web);
    const { writeFile } = await import('node:fs/promises');
    const path = `${deployment.folder}/accounts.jsonl`;
    await writeFile(path, `${JSON.stringify({ email: person.email, disabled: true })}\n`);
    const { code, stderr } = await gatehouse('accounts', 'import', path, '--update');
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    await expectLogouts(subOf(tokens), [[apps.web, [sidOf(tokens)]]]);
  });

  const listed = async () =>
    documentOf<{ sessions: SessionDocument[] }>(await gatehouse('sessions', 'list', person.email, '--json'))
      .sessions;

  test('"sessions end" of a session of a browser, of an app, and of everything', async () => {
    const [web, other] = [await signIn(apps.web), await signIn(apps.other, offline)];
    const app = (await listed()).find(({ clientId }) => clientId === 'other');
    await gatehouse('sessions', 'end', person.email, '--session', app?.id ?? '');
    await expectLogouts(subOf(web), [
      [apps.web, []],
      [apps.other, [sidOf(other)]],
    ]);

    const browser = (await listed()).find(({ kind }) => kind === 'browser');
    await gatehouse('sessions', 'end', person.email, '--session', browser?.id ?? '');
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, [sidOf(other)]],
    ]);

    const later = await apps.web.signIn(createUserAgent(deployment), { scope: allScopes }, person);
    await gatehouse('sessions', 'end', person.email, '--all');
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web), sidOf(later)]],
      [apps.other, [sidOf(other)]],
    ]);
  });

  test('"sessions end --client" and "tokens revoke --family" reach that app alone', async () => {
    const [web, other] = [await signIn(apps.web, offline), await signIn(apps.other, offline)];
    await gatehouse('sessions', 'end', person.email, '--client', 'web');
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, []],
    ]);
    const family = decodeJwt(other.access_token).claims.family as string;
    const { env, folder } = deployment;
    expect(
      (
        await runCommand({ env, folder }, ['tokens', 'revoke', '--family', family], {
          GATEHOUSE_SERVER_SECRETS: '',
        })
      ).code,
    ).toBe(0);
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, [sidOf(other)]],
    ]);
  });

  test('one place on the account page', async () => {
    const [web, other] = [await signIn(apps.web, offline), await signIn(apps.other)];
    const account = await openAccount(deployment, agent, person);
    const [app] = (await listed()).filter(({ clientId }) => clientId === 'web');
    await agent.submit(formOf(account, 'end', app?.id), {});
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web)]],
      [apps.other, []],
    ]);
    expect(sidOf(other)).toBeDefined();
  });

  test('a withdrawn consent reaches that app, in all sessions', async () => {
    const [web, other] = [await signIn(apps.web, offline), await signIn(apps.other)];
    const there = await apps.web.signIn(createUserAgent(deployment), { scope: allScopes }, person);
    const account = await openAccount(deployment, agent, person);
    await agent.submit(formOf(account, 'withdraw', 'value="web"'), {});
    await expectLogouts(subOf(web), [
      [apps.web, [sidOf(web), sidOf(there)]],
      [apps.other, []],
    ]);
    expect(sidOf(other)).toBeDefined();
  });

  test('a spent refresh token that is used again', async () => {
    const tokens = await signIn(apps.strict, offline);
    expect((await apps.strict.refresh(tokens.refresh_token)).status).toBe(200);
    for (const _ of [1, 2]) expect((await apps.strict.refresh(tokens.refresh_token)).status).toBe(400);
    await expectLogouts(subOf(tokens), [[apps.strict, [sidOf(tokens)]]]);
  });

  test('a spent code that is used again, also if no refresh token was issued', async () => {
    for (const [app, scope] of [
      [apps.strict, allScopes],
      [apps.codes, 'openid'],
    ] as const) {
      const code = await app.code(agent, { scope }, person);
      const { body } = await app.redeem(code);
      expect((await app.redeem(code)).status).toBe(400);
      const tokens = body as unknown as Tokens;
      await receiver.until(app.id, 1);
      expect(await sidsAt(app, subOf(tokens))).toEqual([sidOf(tokens)]);
    }
  });

  test('a device has its family as its sid, and does not end with the browser that let it in', async () => {
    const { device_code: deviceCode, user_code: userCode } = await beginAt(apps.tv);
    await approve(deployment, agent, userCode, person);
    const tokens = (await pollFor(apps.tv, deviceCode)).body as unknown as Tokens;
    expect(sidOf(tokens)).toBe(decodeJwt(tokens.access_token).claims.family);
    await signOut(deployment, agent);
    await gatehouse('accounts', 'disable', person.email);
    await expectLogouts(subOf(tokens), [[apps.tv, [sidOf(tokens)]]]);
  });

  test('an app that ends its own sign-in gets nothing', async () => {
    const tokens = await signIn(apps.web, offline);
    const { body } = await apps.own.passwordGrant({ username: person.email, password: person.password });
    await apps.web.post('revoke', { token: tokens.refresh_token });
    const left = await callJsonApi(deployment, '/auth/logout', {
      clientId: 'own',
      refreshToken: body.refresh_token,
    });
    expect(left.status).toBe(204);
    // The session of the browser goes on, and the app is part of it.
    await gatehouse('accounts', 'disable', person.email);
    await expectLogouts(subOf(tokens), [
      [apps.web, [sidOf(tokens)]],
      [apps.own, []],
    ]);
  });

  test('a sign-in by password has its family as its sid, and ends with the account or by itself', async () => {
    const login = async () => {
      const { body } = await apps.own.passwordGrant({ username: person.email, password: person.password });
      return body as unknown as Tokens;
    };
    const [one, other] = [await login(), await login()];
    const familyOf = ({ access_token }: Tokens) => decodeJwt(access_token).claims.family as string;
    expect(sidOf(one)).toBe(familyOf(one));
    await gatehouse('sessions', 'end', person.email, '--session', familyOf(one));
    await expectLogouts(subOf(one), [[apps.own, [sidOf(one)]]]);
    await gatehouse('accounts', 'disable', person.email);
    await expectLogouts(subOf(one), [[apps.own, [sidOf(one), sidOf(other)]]]);
  });

  test('an app that wants no sid gets one token for the person, however many sessions end', async () => {
    const tokens = await signIn(apps.subject);
    await apps.subject.signIn(createUserAgent(deployment), { scope: allScopes }, person);
    await gatehouse('accounts', 'disable', person.email);
    await receiver.until('subject', 1);
    await settled();
    expect(await sidsAt(apps.subject, subOf(tokens))).toEqual([undefined]);
  });
});
