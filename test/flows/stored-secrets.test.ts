import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { type Deployment, demo, eachStore } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { signOut, silently } from '../support/sign-in.ts';
import {
  bearer,
  createTestClient,
  demoApps,
  pkce,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, tally } from './apps.ts';
import { type BearerValues, foundIn, recordBearerValues } from './bearer-values.ts';
import { approve, beginAt, type DeviceAuthorization, deviceFlow, enterCode, pollFor } from './devices.ts';
import { dumpStores } from './store-dump.ts';

const secret = randomToken();
const newPassword = 'a-passphrase-of-somebody-else';
const sha256 = createHash('sha256').update(secret).digest('hex');
const grants = ['authorization_code', 'refresh_token', 'device_code'];
const clients = [appDocument('web', { secrets: [{ sha256 }], graceSeconds: 0, grants })];
const redirectUri = 'http://localhost:8080/web/callback';
const session = 'gatehouse_session';

interface Left {
  agent: UserAgent;
  code: string;
  device: DeviceAuthorization;
}

/** Makes device codes: spent, denied, confirmed without sign-in, and pending. Returns an approved one. */
async function useDevices({ recorded, add }: BearerValues, web: TestClient, agent: UserAgent) {
  const begin = async () => {
    const begun = await beginAt(web);
    add('user code as it is shown', begun.user_code);
    return begun;
  };
  const spent = await begin();
  await approve(recorded, agent, spent.user_code, demo);
  await pollFor(web, spent.device_code);
  await pollFor(web, spent.device_code);
  const denied = await begin();
  await agent.submit(await enterCode(recorded, agent, denied.user_code), { abort: 'yes' });
  const elsewhere = createUserAgent(recorded);
  const confirmed = await begin();
  await elsewhere.submit(await enterCode(recorded, elsewhere, confirmed.user_code), { confirm: 'yes' });
  await elsewhere.get((await begin()).verification_uri_complete);
  const device = await begin();
  await pollFor(web, device.device_code);
  await approve(recorded, agent, device.user_code, demo);
  return device;
}

/** Uses every endpoint, rightly and wrongly. Leaves a live session, code, family and more. */
async function useEverything(values: BearerValues): Promise<Left> {
  const { recorded, add } = values;
  const web = createTestClient(recorded, { id: 'web', secret, redirectUri });
  const agent = createUserAgent(recorded);
  for (const [what, value] of Object.entries({ secret, ...pkce, password: demo.password, newPassword }))
    if (what !== 'challenge') add(what, value);
  add('client secret', demoApps.service.secret);

  // Pages: a wrong password, the right password, consent, and an unfinished sign-in.
  const form = await agent.get(web.authorizationUrl({ scope: allScopes }));
  const again = await agent.submit(form, { email: demo.email, password: `${newPassword}-mistyped` });
  await signInAndAgree(agent, again, demo);
  await createUserAgent(recorded).get(web.authorizationUrl());
  await agent.get(
    web.authorizationUrl({ prompt: 'login', id_token_hint: (await web.signIn(agent)).id_token }),
  );

  // Codes and refresh tokens: spent, repeated, revoked and live.
  const spent = await web.code(agent, { scope: allScopes });
  const ended = tokensOf(await web.redeem(spent));
  await web.redeem(spent);
  await web.refresh(ended.refresh_token);
  const first = await web.signIn(agent, { scope: `${allScopes} offline_access`, prompt: 'consent' });
  const second = tokensOf(await web.refresh(first.refresh_token));
  await web.post('revoke', { token: second.access_token });
  await web.post('introspect', { token: second.refresh_token });
  const other = await web.signIn(agent, { scope: allScopes });
  await web.post('revoke', { token: other.refresh_token });
  for (const path of ['/oauth2/userinfo', '/user/profile']) {
    await recorded.fetch(`${recorded.issuer}${path}`, { headers: bearer(second.access_token) });
    await recorded.fetch(`${recorded.issuer}${path}?access_token=${first.access_token}`);
  }

  // Pushed requests: one used, one unused.
  const push = async () => {
    const query = Object.fromEntries(new URL(web.authorizationUrl()).searchParams);
    return String((await web.post('par', query)).body.request_uri);
  };
  const pushed = `${recorded.issuer}/oauth2/authorize?client_id=web&request_uri=`;
  await agent.get(`${pushed}${encodeURIComponent(await push())}`);
  await push();

  // The JSON API, machines, and refused requests.
  const { email } = demo;
  const { refreshToken } = await apiLogin(recorded);
  await callJsonApi(recorded, '/auth/refresh', { refreshToken });
  await callJsonApi(recorded, '/auth/login', { email, password: `${newPassword}-mistyped` });
  await callJsonApi(recorded, '/auth/register', { email: 'new@example.com', password: newPassword });
  await callJsonApi(recorded, '/auth/login', {
    email: 'new@example.com',
    password: newPassword,
    extra: newPassword,
  });
  await createTestClient(recorded, demoApps.service).clientCredentials();
  await web.redeem(spent, { code_verifier: 'w'.repeat(43), redirect_uri: second.access_token });
  await web.refresh(`${second.refresh_token}x`);
  await web.post('token', { grant_type: 'password', username: email, password: newPassword });
  const elsewhere = createUserAgent(recorded);
  await web.signIn(elsewhere);
  await signOut(recorded, elsewhere);
  const device = await useDevices(values, web, agent);
  const code = await web.code(agent, { scope: allScopes });
  return { agent, code, device };
}

describe.each(eachStore)('a copy of the stores doesn’t allow a sign-in, on $name', ({ start }) => {
  let deployment: Deployment;
  let handedOut: BearerValues;
  let dump: string[];
  let left: Left;
  let web: TestClient;
  beforeAll(async () => {
    // The test makes many guesses from one address.
    const env = { ...deviceFlow, GATEHOUSE_LOG_LEVEL: 'debug', GATEHOUSE_LIMITS_PERCENT: '1000' };
    deployment = await start({ clients, processes: 1, env });
    handedOut = recordBearerValues(deployment);
    left = await useEverything(handedOut);
    dump = await dumpStores(deployment);
    web = createTestClient(deployment, { id: 'web', secret, redirectUri });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('the search covers every kind of value and everything that is stored', () => {
    const kindsOf = new Set(handedOut.values.values());
    const wanted = ['code', 'interaction uid', 'csrf', 'xsrf', 'access_token', 'refresh_token', 'id_token'];
    const others = ['request_uri', 'accessToken', 'refreshToken', 'secret', 'password'];
    const ofDevices = ['device_code', 'user_code', 'user code as it is shown'];
    expect([...kindsOf]).toEqual(expect.arrayContaining([...wanted, ...others, ...ofDevices]));
    // The interaction's cookies contain the interaction's uid.
    const cookies = [session, `${session}.sig`, 'gatehouse_interaction.sig', 'gatehouse_resume.sig'];
    expect([...kindsOf]).toEqual(expect.arrayContaining(cookies.map((name) => `cookie ${name}`)));
    const planted = new Map([[left.code, 'code']]);
    const bytes = Buffer.from(`xy${left.code}z`);
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), `..${left.code.slice(9, 30)}..`])
      expect(foundIn([text], planted)).not.toEqual([]);
    expect(foundIn(dump, planted)).toEqual([]);
    expect(foundIn(dump, new Map([[demo.email, 'address']]))).not.toEqual([]);
    for (const word of ['families', 'oidc_artifacts', 'consents', 'revocations']) {
      const inRedis = deployment.env.GATEHOUSE_REDIS_URL && /families|oidc/.test(word);
      expect(dump.some((text) => text.includes(inRedis ? String(deployment.redisPrefix) : word))).toBe(true);
    }
  });

  test('no issued or typed secret is stored, completely or in part', () => {
    expect(foundIn(dump, handedOut.values)).toEqual([]);
  });

  test('no issued or typed secret is in the log', async () => {
    await waitFor(() => deployment.programs.every((program) => program.output().includes('/oauth2/logout')));
    const output = deployment.programs.flatMap((program) => program.output().split('\n'));
    expect(output.length).toBeGreaterThan(50);
    expect(foundIn(output, handedOut.values)).toEqual([]);
  });

  test('stored values are refused everywhere, even with a signed cookie', async () => {
    const serverSecret = await readFile(`${deployment.folder}/server-secrets`, 'utf8');
    const [key = ''] = createServerKeys([serverSecret]).cookieKeys();
    const bySession = (id: string) => {
      const thief = createUserAgent(deployment);
      const signature = createHmac('sha256', key).update(`${session}=${id}`).digest('base64url');
      thief.cookies.set(session, id).set(`${session}.sig`, signature);
      return silently(thief, web);
    };
    // Texts as long as an id or a hash. Longer texts are sealed.
    const stored = new Set(dump.flatMap((text) => text.match(/(?<![\w-])[\w-]{20,64}(?![\w-])/g) ?? []));
    const families = [...stored].filter((text) => text.startsWith('fam_'));
    expect(stored.size).toBeGreaterThan(10);
    const answers: string[] = [];
    const thief = createUserAgent(deployment);
    for (const id of stored) {
      answers.push(String((await web.redeem(id)).body.error), await bySession(id));
      answers.push(String((await pollFor(web, id)).body.error));
      const asked = await enterCode(deployment, thief, id);
      answers.push(/There is no such code/.exec(asked.html)?.[0] ?? `${asked.status} ${asked.html}`);
      const tokens = families.map((family) => `${family}.${id.slice(0, 43).padEnd(65, 'A')}`);
      const refused = await Promise.all(tokens.map((token) => web.refresh(token)));
      answers.push(...refused.map(({ body }) => String(body.error)));
      const uri = `urn:ietf:params:oauth:request_uri:${id}`;
      const query = new URLSearchParams({ client_id: 'web', redirect_uri: redirectUri, request_uri: uri });
      const page = await deployment.fetch(`${deployment.issuer}/oauth2/authorize?${query}`);
      answers.push(new URL(page.headers.get('location') ?? '').searchParams.get('error') ?? 'taken');
      await page.arrayBuffer();
    }
    expect(Object.keys(tally(answers)).sort()).toEqual([
      'There is no such code',
      'invalid_grant',
      'invalid_request_uri',
      'login_required',
    ]);
    // The real values still work, so the stored values above didn't fail for another reason.
    expect(await bySession(left.agent.cookies.get(session) ?? '')).toBe('code');
    expect((await web.redeem(left.code)).status).toBe(200);
    expect((await pollFor(web, left.device.device_code)).status).toBe(200);
  });
});
