import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresRevocationStore } from '../../adapters/postgres/revocation-store.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import type { RevocationEntry } from '../../provider/ports/revocation-store.ts';
import { allScopes, appDocument, createApp, standing } from '../flows/apps.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { runProgram } from '../support/program.ts';
import { testServerSecret } from '../support/secrets.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type TestClient,
  type Tokens,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Ended } from './command.ts';
import { documentOf, eventsOf, runCommand, type SessionDocument } from './session-commands.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

let deployment: Deployment;
let web: TestClient;
beforeAll(async () => {
  deployment = await startServers({ clients: [appDocument('web'), appDocument('leaking')] });
  web = createApp(deployment, 'web');
}, 120_000);
afterAll(() => deployment?.stop());

async function revoke(args: string[], input = '', changes: Record<string, string> = {}): Promise<Ended> {
  const { env, folder: cwd } = deployment;
  const program = runProgram(['tokens', 'revoke', ...args], { env: { ...env, ...changes }, cwd, input });
  return { code: await program.ended, stdout: program.stdout(), stderr: program.stderr() };
}

const signIn = (app = web): Promise<Tokens> =>
  app.signIn(createUserAgent(deployment), { scope: `${allScopes} offline_access`, prompt: 'consent' });
const live = ({ access_token }: Tokens, app = web) => standing(deployment, app, access_token);
const refreshes = async ({ refresh_token }: Tokens, app = web) => (await app.refresh(refresh_token)).status;
const claimsOf = ({ access_token }: Tokens) =>
  decodeJwt(access_token).claims as { jti: string; family: string; sub: string };

async function inForce(): Promise<RevocationEntry[]> {
  const database = openDatabase({ url: deployment.databaseUrl ?? '' });
  const denylist = new PostgresRevocationStore({ db: database.knex, clock: systemClock });
  return denylist.inForce({ limit: 1000 }).finally(() => database.close());
}

/** The ids of the sign-ins of the account. */
async function listed(): Promise<string[]> {
  const ended = await runCommand(deployment, ['sessions', 'list', demo.email, '--json']);
  return documentOf<{ sessions: SessionDocument[] }>(ended).sessions.map(({ id }) => id);
}

describe('tokens revoke', () => {
  test('ends the access token from standard input, and no other', async () => {
    const first = await signIn();
    const second = tokensOf(await web.refresh(first.refresh_token));
    const { jti, family } = claimsOf(first);
    for (const input of [`${first.access_token}\n`, `Bearer ${first.access_token}`]) {
      const { code, stdout, stderr } = await revoke([], input);
      expect([code, stdout]).toEqual([0, `The access token ${jti} of web is dead.\n`]);
      expect(stderr).toContain(`tokens revoke --family ${family}`);
      expect(stdout + stderr).not.toContain(first.access_token.split('.')[2]);
    }
    expect([await live(first), await live(second), await refreshes(second)]).toEqual(['dead', 'live', 200]);
  });

  test('ends the family of a current or spent refresh token, and reports it', async () => {
    for (const which of ['current', 'spent']) {
      const first = await signIn();
      const second = tokensOf(await web.refresh(first.refresh_token));
      const { family, sub } = claimsOf(first);
      const token = (which === 'spent' ? first : second).refresh_token;
      const { code, stdout, stderr } = await revoke(['--json'], token);
      expect([code, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toEqual({ revoked: 'family', id: family });
      expect([await live(first), await live(second), await refreshes(second)]).toEqual(['dead', 'dead', 400]);
      await waitFor(() => eventsOf(deployment, 'family.ended', family).length > 0);
      const [told] = eventsOf(deployment, 'family.ended', family);
      expect(told?.data).toMatchObject({ id: sub, clientId: 'web', familyId: family, actor: 'operator' });
    }
  });

  test('ends tokens by the ids in a token', async () => {
    const [one, other] = [await signIn(), await signIn()];
    expect(await revoke(['--id', claimsOf(one).jti])).toMatchObject({ code: 0, stderr: '' });
    expect([await live(one), await refreshes(one)]).toEqual(['dead', 200]);
    expect(await revoke(['--family', claimsOf(other).family])).toMatchObject({ code: 0, stderr: '' });
    expect([await live(other), await refreshes(other)]).toEqual(['dead', 400]);
  });

  test('ends the token of a machine, which has no family', async () => {
    const service = createTestClient(deployment, demoApps.service);
    const { access_token } = tokensOf(await service.clientCredentials());
    expect(await revoke([], access_token)).toMatchObject({ code: 0, stderr: '' });
    expect((await service.post('introspect', { token: access_token })).body.active).toBe(false);
  });

  test("ends all tokens of a client, which are not listed any more; its later tokens and other clients' tokens stay valid", async () => {
    const leaking = createApp(deployment, 'leaking');
    const [theirs, others] = [await signIn(leaking), await signIn()];
    expect(await listed()).toEqual(
      expect.arrayContaining([claimsOf(theirs).family, claimsOf(others).family]),
    );
    const { code, stdout, stderr } = await revoke(['--client', 'leaking']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^All tokens and codes issued to leaking are revoked\. .* are valid\.$/m);
    expect([await live(theirs, leaking), await refreshes(theirs, leaking)]).toEqual(['dead', 400]);
    expect([await live(others), await refreshes(others)]).toEqual(['live', 200]);
    const families = await listed();
    expect(families).toContain(claimsOf(others).family);
    expect(families).not.toContain(claimsOf(theirs).family);
    await waitFor(async () => (await live(await signIn(leaking), leaking)) === 'live');
  });

  test('keeps the entry of a client for the longest life of a refresh token, whatever the settings of the command', async () => {
    await revoke(['--client', 'gone'], '', { GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS: '30' });
    const entry = (await inForce()).find(({ key }) => key === 'client:gone@0');
    expect(entry?.expiresAt).toBeGreaterThan(Date.now() + 90 * 86_400_000);
  });

  test('needs neither Redis nor server secrets for an access token; other processes see it in about a second', async () => {
    const tokens = await signIn();
    const without = { GATEHOUSE_REDIS_URL: '', GATEHOUSE_SERVER_SECRETS: '' };
    expect(await revoke([], tokens.access_token, without)).toMatchObject({ code: 0 });
    await waitFor(async () => (await live(tokens)) === 'dead');
    const family = await revoke(['--family', claimsOf(tokens).family], '', without);
    expect(family).toMatchObject({ code: 0, stderr: expect.stringContaining('GATEHOUSE_REDIS_URL') });
  });

  test('revokes for the longest life of a token, whatever the settings of the command', async () => {
    const tokens = await signIn();
    await revoke(['--id', claimsOf(tokens).jti], '', { GATEHOUSE_ACCESS_TOKEN_SECONDS: '60' });
    const entry = (await inForce()).find(({ key }) => key === `jti:${claimsOf(tokens).jti}`);
    expect(entry?.expiresAt).toBeGreaterThan(Date.now() + 3_590_000);
  });
});

describe('tokens revoke refuses', () => {
  test.each<[what: string, input: () => Promise<string>, code: number, message: RegExp]>([
    ['nothing', async () => '', 64, /Pipe one in/],
    ['blanks', async () => ' \n', 64, /Pipe one in/],
    ['a text that is too long', async () => 'x'.repeat(20_000), 64, /too long/],
    ['text that is not a token', async () => 'nonsense', 1, /neither an access token nor a refresh token/],
    [
      'an id token',
      async () => (await signIn()).id_token ?? '',
      1,
      /neither an access token nor a refresh token/,
    ],
    ['a refresh token in another format', async () => `fam_${'a'.repeat(22)}.0~x`, 1, /server secrets/],
  ])('%s', async (_, input, code, message) => {
    const text = await input();
    const ended = await revoke([], text);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    if (text.length > 10) expect(ended.stderr).not.toContain(text);
  });

  test('tokens of another issuer, and refresh tokens of other server secrets', async () => {
    const { access_token, refresh_token } = await signIn();
    const elsewhere = { GATEHOUSE_ISSUER: 'https://other.example', GATEHOUSE_AUDIENCE: deployment.audience };
    expect(await revoke([], access_token, elsewhere)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('another issuer'),
    });
    const secrets = {
      GATEHOUSE_SERVER_SECRETS: 'env:OTHER_SECRETS',
      OTHER_SECRETS: testServerSecret.toUpperCase(),
    };
    expect(await revoke([], refresh_token, secrets)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('GATEHOUSE_SERVER_SECRETS'),
    });
    expect(await revoke([], refresh_token, { GATEHOUSE_SERVER_SECRETS: '' })).toMatchObject({ code: 78 });
  });

  test('while Postgres is away, with an error', async () => {
    const tokens = await signIn();
    const url = new URL(deployment.databaseUrl ?? '');
    url.port = String(await freePort());
    const ended = await revoke(['--json'], tokens.access_token, { GATEHOUSE_DATABASE_URL: url.href });
    expect([ended.code, ended.stdout]).toEqual([69, '']);
    expect(await live(tokens)).toBe('live');
  });
});
