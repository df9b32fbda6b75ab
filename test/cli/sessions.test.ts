import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { silentLogger } from '../../provider/bin/commands/silent-logger.ts';
import { openPorts } from '../../provider/compose/adapters.ts';
import type { Ports } from '../../provider/compose/ports.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import type { AccountChange } from '../../provider/ports/account-store.ts';
import { createCachedDenylist } from '../../provider/revocation/cached-denylist.ts';
import { noticeChanges } from '../../provider/revocation/change-notices.ts';
import { allScopes, appDocument, createApp, offline, standing } from '../flows/apps.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { apiLogin, getProfile, postJson } from '../support/json-api.ts';
import type { PublishedEvent } from '../support/published-events.ts';
import { testServerSecret } from '../support/secrets.ts';
import { silently } from '../support/sign-in.ts';
import type { TestClient, Tokens } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Ended } from './command.ts';
import { documentOf, eventsOf, runCommand, type SessionDocument } from './session-commands.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

let deployment: Deployment;
let database: Database;
let ports: Ports;
let web: TestClient;
let agent: UserAgent;
let accountId: string;
beforeAll(async () => {
  deployment = await startServers({ clients: [appDocument('web')] });
  database = openDatabase({ url: deployment.databaseUrl ?? '' });
  ports = await openPorts(loadConfig({ env: deployment.env }), { clock, logger: silentLogger() });
  accountId = (await ports.accounts.findByEmail(demo.email))?.id ?? '';
  web = createApp(deployment, 'web');
}, 120_000);
afterAll(async () => {
  await database?.close();
  for (const dependency of ports?.dependencies ?? []) await dependency.close();
  await deployment?.stop();
});
beforeEach(async () => {
  agent = createUserAgent(deployment);
  // Sessions of other tests have ended and are not listed.
  await change({ state: 'active', raiseTokenVersion: true });
});

/** Changes the account as another process does, so that processes with a cached account read it again. */
async function change(changes: AccountChange): Promise<void> {
  const { denylist: store, revocationCache: cache } = ports;
  const denylist = createCachedDenylist({ store, cache, clock, logger: silentLogger() });
  const unitOfWork = noticeChanges(ports.unitOfWork, { clock, denylist });
  await unitOfWork.run(({ accounts }) => accounts.update(accountId, changes, clock.now()));
}

const sessions = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runCommand(deployment, ['sessions', ...args], env);
const list = async (): Promise<SessionDocument[]> => {
  const ended = await sessions(['list', demo.email, '--json']);
  return documentOf<{ sessions: SessionDocument[] }>(ended).sessions;
};
/** Waits for the index entries, because they are written in parallel with the response. */
async function listOf(count: number): Promise<SessionDocument[]> {
  let listed: SessionDocument[] = [];
  const isThere = async () => {
    listed = await list();
    return listed.length === count;
  };
  await waitFor(isThere, { what: `${count} sessions` });
  return listed;
}
const kinds = (listed: SessionDocument[]) => listed.map(({ kind, clientId }) => [kind, clientId]);
async function toldOf(type: string, id: string): Promise<PublishedEvent> {
  await waitFor(() => eventsOf(deployment, type, id).length > 0, { what: type });
  const [told] = eventsOf(deployment, type, id);
  return told as PublishedEvent;
}
const refreshStatus = async (tokens: Tokens) => (await web.refresh(tokens.refresh_token)).status;

/** The answers of all processes about tokens of the JSON API. */
async function apiStanding({ accessToken }: { accessToken: string }): Promise<number[]> {
  const answers = [];
  for (const _ of deployment.origins) answers.push((await getProfile(deployment, accessToken)).status);
  return answers;
}

async function apiRefresh({ refreshToken }: { refreshToken: string }): Promise<number[]> {
  const answers = [];
  for (const _ of deployment.origins)
    answers.push((await postJson(deployment, '/auth/refresh', { refreshToken })).status);
  return answers;
}

/** Signs in twice: in a browser with one app whose tokens end with the session, and with the JSON API. */
async function signInTwice() {
  const inBrowser = await web.signIn(agent, { scope: allScopes });
  const byApi = await apiLogin(deployment);
  return { inBrowser, byApi, listed: await listOf(3) };
}

describe('sessions list', () => {
  test('shows browsers, the apps that end with them, and apps with their own tokens', async () => {
    const before = Date.now() - 2000;
    const { listed } = await signInTwice();
    expect(kinds(listed).sort()).toEqual([
      ['app', 'demo-first-party'],
      ['app', 'web'],
      ['browser', null],
    ]);
    const browser = listed.find(({ kind }) => kind === 'browser');
    expect(listed.map(({ clientId, sessionId }) => [clientId, sessionId])).toEqual(
      expect.arrayContaining([
        ['web', browser?.id],
        ['demo-first-party', null],
      ]),
    );
    for (const one of listed) {
      expect(one).toMatchObject({ ip: '127.0.0.1', userAgent: expect.stringMatching(/./) });
      const [since, used, until] = [one.startedAt, one.lastUsedAt, one.expiresAt].map(Date.parse);
      expect(since).toBeGreaterThan(before);
      expect(used).toBeGreaterThan(before);
      expect(until).toBeGreaterThan(Date.now() + 3_600_000);
    }
    const { code, stdout, stderr } = await sessions(['list', accountId]);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^KIND +ID +CLIENT +SINCE +LAST USED +EXPIRES +ADDRESS +USER AGENT$/);
    const row = lines.findIndex((line) => line.startsWith(`browser  ${browser?.id} `));
    expect(lines[row + 1]).toMatch(/^ {2}app {4}fam_[\w-]{22} +web +20/);
    expect(stdout).toMatch(/^app {6}fam_[\w-]{22} +demo-first-party /m);
    expect(stdout).not.toContain(agent.cookies.get('gatehouse_session'));
  });

  test('shows no ended sign-in: signed out, revoked, of a disabled account or before a new password', async () => {
    const { byApi, inBrowser } = await signInTwice();
    await postJson(deployment, '/auth/logout', { refreshToken: byApi.refreshToken });
    expect(kinds(await list()).sort()).toEqual([
      ['app', 'web'],
      ['browser', null],
    ]);
    const page = await agent.get(`${deployment.issuer}/oauth2/logout?id_token_hint=${inBrowser.id_token}`);
    await agent.submit(page, { logout: 'yes' });
    expect(await list()).toEqual([]);

    const another = await web.signIn(createUserAgent(deployment), offline);
    await listOf(2);
    await web.post('revoke', { token: another.refresh_token });
    expect(kinds(await list())).toEqual([['browser', null]]);
    await change({ state: 'disabled' });
    expect(await list()).toEqual([]);
    await change({ state: 'active' });
    expect(kinds(await list())).toEqual([['browser', null]]);
    await change({ raiseTokenVersion: true });
    expect(await sessions(['list', demo.email])).toEqual({
      code: 0,
      stderr: '',
      stdout: `${demo.email} is signed in nowhere.\n`,
    });
  });
});

describe('sessions end', () => {
  test('ends one app: every process refuses its tokens at once, and the browser session continues', async () => {
    const { inBrowser, byApi, listed } = await signInTwice();
    const id = listed.find(({ clientId }) => clientId === 'demo-first-party')?.id ?? '';
    expect(await apiStanding(byApi)).toEqual([200, 200]);
    expect(await sessions(['end', demo.email, '--session', id])).toEqual({
      code: 0,
      stderr: '',
      stdout: `Ended 1 session of ${demo.email} with all its tokens.\n`,
    });
    expect(await apiStanding(byApi)).toEqual([401, 401]);
    expect(await apiRefresh(byApi)).toEqual([401, 401]);
    expect(await standing(deployment, web, inBrowser.access_token)).toBe('live');
    expect(await refreshStatus(inBrowser)).toBe(200);
    expect(await silently(agent, web)).toBe('code');
    expect((await list()).map((one) => one.id)).not.toContain(id);
    const data = { id: accountId, clientId: 'demo-first-party', familyId: id, actor: 'operator' };
    const told = await toldOf('family.ended', id);
    expect(told).toMatchObject({ subject: accountId, data });
    expect(told.data).toEqual(data);

    const again = await sessions(['end', demo.email, '--session', id, '--json']);
    expect([again.code, JSON.parse(again.stdout)]).toEqual([1, { accountId, everywhere: false, ended: [] }]);
    expect(JSON.parse(again.stderr)).toEqual({
      error: { code: 'not_found', message: `${demo.email} has no session ${id}, or it is over.` },
    });
  });

  test('ends a browser session with its apps, but not apps with their own tokens', async () => {
    const { inBrowser, byApi, listed } = await signInTwice();
    const own = await web.signIn(createUserAgent(deployment), offline);
    const id = listed.find(({ kind }) => kind === 'browser')?.id ?? '';
    const ended = await sessions(['end', accountId, '--session', 'nothing', id, '--json']);
    const { ended: places } = JSON.parse(ended.stdout);
    expect(places).toEqual([listed.find((one) => one.id === id)]);
    expect([ended.code, JSON.parse(ended.stderr).error.message]).toEqual([
      1,
      `${demo.email} has no session nothing, or it is over.`,
    ]);
    for (const _ of deployment.origins) expect(await silently(agent, web)).toBe('login_required');
    expect(await standing(deployment, web, inBrowser.access_token)).toBe('dead');
    expect(await refreshStatus(inBrowser)).toBe(400);
    expect(await standing(deployment, web, own.access_token)).toBe('live');
    expect(await apiStanding(byApi)).toEqual([200, 200]);
    const told = await toldOf('session.ended', id);
    expect(told.data).toEqual({ id: accountId, sessionId: id, actor: 'operator' });
  });

  test('ends all sign-ins of one client, in browsers or not, and no others', async () => {
    const { inBrowser, byApi } = await signInTwice();
    const own = await web.signIn(createUserAgent(deployment), offline);
    await listOf(5);
    const ended = documentOf<{ ended: SessionDocument[] }>(
      await sessions(['end', demo.email, '--client', 'web', '--json']),
    );
    expect(kinds(ended.ended)).toEqual([
      ['app', 'web'],
      ['app', 'web'],
    ]);
    for (const tokens of [inBrowser, own]) {
      expect(await standing(deployment, web, tokens.access_token)).toBe('dead');
      expect(await refreshStatus(tokens)).toBe(400);
    }
    expect(await apiStanding(byApi)).toEqual([200, 200]);
    expect(await silently(agent, web)).toBe('code');
    expect(await sessions(['end', demo.email, '--client', 'wbe'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `gatehouse: ${demo.email} has no session at wbe.\n`,
    });
  });

  test('ends with --all everything in every process, also a code that is not redeemed yet', async () => {
    const { inBrowser, byApi, listed } = await signInTwice();
    const code = await web.code(agent, { scope: allScopes });
    expect(await sessions(['end', demo.email, '--all'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `${demo.email} is signed out everywhere (3 sessions); every token it was issued is dead.\n`,
    });
    expect(await apiStanding(byApi)).toEqual([401, 401]);
    expect(await apiRefresh(byApi)).toEqual([401, 401]);
    expect(await standing(deployment, web, inBrowser.access_token)).toBe('dead');
    expect(await refreshStatus(inBrowser)).toBe(400);
    expect((await web.redeem(code)).body.error).toBe('invalid_grant');
    for (const _ of deployment.origins) expect(await silently(agent, web)).toBe('login_required');
    const operator = { id: accountId, actor: 'operator' };
    const [browser] = listed.filter(({ kind }) => kind === 'browser');
    await toldOf('session.ended', browser?.id ?? '');
    const everywhere = await toldOf('user.signed_out_everywhere', accountId);
    expect(everywhere.data).toEqual({ ...operator, email: demo.email });
    const nothing = documentOf(await sessions(['end', demo.email, '--all', '--json']));
    expect(nothing).toEqual({ accountId, everywhere: true, ended: [] });
  });

  test('ends every token with --all while Redis is away, and says what is left to do', async () => {
    const byApi = await apiLogin(deployment);
    const env = { GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
    const ended = await sessions(['end', demo.email, '--all'], env);
    expect(ended).toEqual({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(
        /^gatehouse: Every token john@example\.com was issued is dead, but what is stored .* still there: Redis can't be reached/,
      ),
    });
    expect(await apiStanding(byApi)).toEqual([401, 401]);
    expect((await sessions(['list', demo.email], env)).code).toBe(69);
  });
});

test('ends nothing if the event cannot be written, and says so; a second run does both', async () => {
  const byApi = await apiLogin(deployment);
  const [one] = await listOf(1);
  const end = () => sessions(['end', demo.email, '--session', one?.id ?? '']);
  await database.knex.schema.renameTable('outbox', 'outbox_elsewhere');
  try {
    const { code, stdout, stderr } = await end();
    expect([code === 0, stdout, stderr]).toEqual([false, '', expect.stringContaining('outbox')]);
  } finally {
    await database.knex.schema.renameTable('outbox_elsewhere', 'outbox');
  }
  expect(await apiStanding(byApi)).toEqual([200, 200]);
  expect(await end()).toMatchObject({ code: 0, stderr: '' });
  expect(await apiStanding(byApi)).toEqual([401, 401]);
  await toldOf('family.ended', one?.id ?? '');
});

describe('with wrong settings or accounts', () => {
  test('the exit code for an unknown account is 1', async () => {
    for (const args of [['list'], ['end', '--all']]) {
      const [name = '', ...rest] = args;
      expect(await sessions([name, 'nobody@example.com', ...rest])).toEqual({
        code: 1,
        stdout: '',
        stderr: 'gatehouse: There is no account nobody@example.com.\n',
      });
    }
  });

  test('missing or wrong settings are reported together', async () => {
    const env = { GATEHOUSE_SERVER_SECRETS: '', GATEHOUSE_REDIS_URL: 'http://cache' };
    const { code, stderr } = await sessions(['list', demo.email, '--json'], env);
    expect([code, JSON.parse(stderr).error.problems]).toEqual([
      78,
      expect.arrayContaining([
        expect.stringMatching(/^GATEHOUSE_REDIS_URL/),
        expect.stringMatching(/^GATEHOUSE_SERVER_SECRETS is not set/),
      ]),
    ]);
  });

  test('server secrets that differ from those of the servers are reported', async () => {
    const env = {
      GATEHOUSE_SERVER_SECRETS: 'env:OTHER_SECRET',
      OTHER_SECRET: testServerSecret.toUpperCase(),
    };
    await apiLogin(deployment);
    await listOf(1);
    const { code, stderr } = await sessions(['list', demo.email], env);
    expect([code, stderr]).toEqual([
      78,
      expect.stringMatching(/Set GATEHOUSE_SERVER_SECRETS as the servers/),
    ]);
  });

  test('a missing GATEHOUSE_REDIS_URL is reported', async () => {
    await apiLogin(deployment);
    const env = { GATEHOUSE_REDIS_URL: '' };
    const advice = expect.stringMatching(/GATEHOUSE_REDIS_URL is not set here/);
    expect(await sessions(['list', demo.email], env)).toMatchObject({ code: 0, stderr: advice });
    const end = ['end', demo.email, '--session', 'fam_x'];
    expect(await sessions(end, env)).toMatchObject({ code: 1, stderr: advice });
  });
});
