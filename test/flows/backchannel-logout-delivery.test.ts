import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { JSONWebKeySet } from 'jose';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { documentOf, runCommand } from '../cli/session-commands.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import {
  type LogoutReceiver,
  startLogoutReceiver,
  status,
  verifyLogoutToken,
} from '../support/logout-receiver.ts';
import type { Program } from '../support/program.ts';
import { eventsIn } from '../support/published-events.ts';
import { newPerson, signOut } from '../support/sign-in.ts';
import { startWorker as startWorkerBeside } from '../support/start-worker.ts';
import { createTestClient, decodeJwt, type Tokens } from '../support/test-client.ts';
import { createUserAgent, type Person } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, changeClient, createApp, removeClient } from './apps.ts';

jest.setTimeout(300_000);

const hour = 3_600_000;
let receiver: LogoutReceiver;
let deployment: FleetDeployment;
let folder: string;
const workers: Program[] = [];

/** Moves the time of all processes. */
const setClock = (ms: number) => writeFile(join(folder, 'clock.json'), JSON.stringify({ all: ms }));

beforeAll(async () => {
  receiver = await startLogoutReceiver();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-clock-'));
  await setClock(0);
  deployment = await startServers({
    clients: ['app', 'late', 'wrong', 'killed', 'moved', 'gone'].map((id) =>
      appDocument(id, { backchannelLogoutUri: receiver.uriOf(id) }),
    ),
    env: {
      GATEHOUSE_JOBS: 'worker',
      GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '127.0.0.0/8',
      GATEHOUSE_SIGNUP: 'true',
      GATEHOUSE_REGISTRATION: 'open',
      GATEHOUSE_KEYS_POLL_SECONDS: '1',
      NODE_OPTIONS: `--import ${join(packageRoot, 'test', 'support', 'shifted-clock.js')}`,
      TEST_CLOCK_FILE: join(folder, 'clock.json'),
    },
  });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await Promise.all(workers.map((worker) => worker.ended));
  await deployment?.stop();
  await receiver?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A worker has neither Redis nor server secrets nor clients. */
const startWorker = (): Promise<Program> =>
  startWorkerBeside(deployment, { without: ['GATEHOUSE_SERVER_SECRETS', 'GATEHOUSE_CLIENTS_FILE'], workers });

let person: Person;
beforeEach(async () => {
  person = await newPerson(deployment);
});

/** Signs in to the app and out again. */
async function signInAndOut(id: string): Promise<Tokens> {
  const agent = createUserAgent(deployment);
  const tokens = await createApp(deployment, id).signIn(agent, { scope: allScopes }, person);
  await signOut(deployment, agent);
  return tokens;
}
const claimsOf = ({ id_token }: Tokens) => decodeJwt(id_token ?? '').claims;
const failed = async (...args: string[]) =>
  documentOf<{ logouts: { id: string; clientId: string; reason: string }[]; retried: string[] }>(
    await runCommand(deployment, ['logouts', 'failed', '--json', ...args]),
  );

describe('delivery by workers', () => {
  test('a logout waits until a worker runs; a killed worker loses none, and another delivers it', async () => {
    const { sid, sub } = claimsOf(await signInAndOut('killed'));
    // The request is never answered, so the worker is killed while it waits.
    receiver.answer('killed', () => {});
    const [first, second] = [await startWorker(), await startWorker()];
    await receiver.until('killed', 1);
    const leads = (worker: Program) => worker.output().includes('this process does the jobs now');
    const leader = leads(first) ? first : second;
    leader.kill('SIGKILL');
    await leader.ended;
    receiver.answer('killed', undefined);
    const received = await waitFor(() => receiver.of('killed').length > 1 && receiver.of('killed'), {
      timeoutMs: 150_000,
      what: 'the second delivery',
    });
    const payload = await verifyLogoutToken(deployment, 'killed', received.at(-1)?.token ?? '');
    expect(payload).toMatchObject({ sid, sub });
    await startWorker();
  });

  test('an app that was down for an hour, while the signing key changed, gets a token that it can check', async () => {
    receiver.answer('late', status(503));
    const tokens = await signInAndOut('late');
    const [before] = await receiver.until('late', 1);
    const { code } = await runCommand(deployment, ['keys', 'rotate']);
    expect(code).toBe(0);
    // The worker that does the jobs and each server must know the new key before the time jumps over its lead time.
    const knows = (worker: Program) => /"published":2[^\n]*signing keys in use/.test(worker.output());
    await waitFor(() => workers.some(knows), { timeoutMs: 30_000, what: 'the new key in the worker' });
    const knowsServer = async (origin: string) => {
      const keys = (await (await fetch(`${origin}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
      return keys.keys.length === 2;
    };
    for (const origin of deployment.origins) {
      await waitFor(() => knowsServer(origin), { timeoutMs: 30_000, what: 'both keys at each server' });
    }
    // The lead time is three hours.
    await setClock(4 * hour);
    await waitFor(async () => receiver.of('late').length > 1, { timeoutMs: 30_000 });
    receiver.answer('late', undefined);
    await setClock(5 * hour);
    await waitFor(() => published('logout.delivered', 'late'), { timeoutMs: 60_000 });
    const last = receiver.of('late').at(-1)?.token ?? '';
    const payload = await verifyLogoutToken(deployment, 'late', last, new Date(Date.now() + 5 * hour));
    expect(payload).toMatchObject({ sid: claimsOf(tokens).sid, sub: claimsOf(tokens).sub });
    const kidOf = (token = '') =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    expect(kidOf(last)).not.toBe(kidOf(before?.token));
  });

  test('a refused logout is shown by "logouts failed", and --retry sends it again', async () => {
    receiver.answer('wrong', status(400, { error: 'invalid_request' }));
    const { sid } = claimsOf(await signInAndOut('wrong'));
    const aside = await waitFor(
      async () => (await failed()).logouts.find(({ clientId }) => clientId === 'wrong'),
      { timeoutMs: 30_000, intervalMs: 500 },
    );
    expect(aside).toMatchObject({
      sid,
      attempts: 1,
      reason: 'the client answered with the status 400 and the error invalid_request',
    });
    expect(receiver.of('wrong')).toHaveLength(1);
    receiver.answer('wrong', undefined);
    expect((await failed('--retry', '--id', aside.id)).retried).toEqual([aside.id]);
    await receiver.until('wrong', 2);
    await waitFor(async () => (await failed()).logouts.length === 0, { timeoutMs: 30_000, intervalMs: 500 });
    const lines = workers.map((worker) => worker.output()).join('');
    expect(lines).toContain('logout set aside');
    for (const { token } of receiver.received) expect(lines).not.toContain(token.slice(0, 30));
  });

  test('an app with a new address gets what waited for it there, and a deleted app gets nothing', async () => {
    for (const id of ['moved', 'gone']) receiver.answer(id, status(500));
    await signInAndOut('moved');
    await signInAndOut('gone');
    await receiver.until('moved', 1);
    await receiver.until('gone', 1);
    await changeClient(deployment, 'moved', { backchannelLogoutUri: receiver.uriOf('here') });
    await removeClient(deployment, 'gone');
    await waitFor(async () => receiver.of('here').length > 0, { timeoutMs: 60_000, what: 'the new address' });
    const { stdout } = await runCommand(deployment, ['logouts', 'failed']);
    expect(stdout).toBe('No logout was set aside.\n');
    const count = receiver.of('gone').length;
    await setClock(7 * hour);
    await signInAndOut('app');
    await receiver.until('app', 1);
    expect(receiver.of('gone')).toHaveLength(count);
  });

  test('an app that registered itself gets its logouts, but never at a private address', async () => {
    const register = async (uri: string) => {
      const redirectUri = 'https://app.example.com/callback';
      const answer = await deployment.fetch(`${deployment.issuer}/oauth2/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ redirect_uris: [redirectUri], backchannel_logout_uri: uri }),
      });
      const body = (await answer.json()) as Record<string, string>;
      expect(body).toMatchObject({
        backchannel_logout_uri: uri,
        backchannel_logout_session_required: true,
      });
      return createTestClient(deployment, {
        id: body.client_id ?? '',
        secret: body.client_secret ?? '',
        redirectUri,
      });
    };
    const uri = receiver.uriOf('registered').replace('http:', 'https:');
    const app = await register(uri);
    const agent = createUserAgent(deployment);
    const tokens = await app.signIn(agent, { scope: 'openid' }, person);
    expect(claimsOf(tokens).sid).toBeDefined();
    await signOut(deployment, agent);
    const aside = await waitFor(
      async () => (await failed()).logouts.find(({ clientId }) => clientId === app.id),
      { timeoutMs: 30_000, intervalMs: 500 },
    );
    expect(aside.reason).toBe('the address is private, and the client registered itself');
  });
});

/** Whether a worker published an event of this type about this client. */
const published = (type: string, clientId: string): boolean =>
  eventsIn(workers.map((worker) => worker.stdout())).some(
    (event) => event.type === type && event.data.clientId === clientId,
  );
