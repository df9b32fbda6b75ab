import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demo, eachStore, type FleetDeployment, oneProcess } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { runToEnd } from '../support/program.ts';
import { decodeJwt, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, offline, standing } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor } from './devices.ts';

const grants = ['authorization_code', 'refresh_token', 'client_credentials', 'device_code'];
const app = (id: string) => appDocument(id, { grants });
const clients = ['leaked', 'other', 'twice', 'restarted'].map(app);

/** Everything that a client is issued, with one code for each process. */
interface Issued {
  accessToken: string;
  refreshToken: string;
  machineToken: string;
  codes: string[];
  /** An approved device code and a pending one. */
  deviceCodes: string[];
  pendingUserCode: string;
}

const dead = { access: 'dead', machine: [false, false], refresh: [400, 400], codes: [400, 400], device: 400 };
const live = { access: 'live', machine: [true, true], refresh: [200, 200], codes: [200, 200], device: 200 };

describe.each(eachStore)('a revoked client, over two processes on $name', ({ start }) => {
  let deployment: FleetDeployment;
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await start({ clients, env: deviceFlow });
    agent = createUserAgent(deployment);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const ways = (id: string) =>
    deployment.origins.map((_, index) => createApp(oneProcess(deployment, index), id));
  const inTurn = async <T>(all: readonly T[], work: (one: T, index: number) => Promise<unknown>) => {
    const given: unknown[] = [];
    for (const [index, one] of all.entries()) given.push(await work(one, index));
    return given;
  };
  const statusOf = async (answer: Promise<{ status: number }>) => (await answer).status;
  const machineToken = async (way: TestClient) => tokensOf(await way.clientCredentials()).access_token;
  const isActive = async (way: TestClient, token: string) =>
    (await way.post('introspect', { token })).body.active;
  const numberIn = (token: string) => decodeJwt(token).claims.client_generation;

  async function issue(id: string): Promise<Issued> {
    const client = createApp(deployment, id);
    const first = await client.signIn(agent, offline);
    const tokens = tokensOf(await client.refresh(first.refresh_token));
    const codes = await inTurn(deployment.origins, async () =>
      (await client.authorize(agent, { scope: allScopes })).get('code'),
    );
    const [letIn, pending] = [await beginAt(client), await beginAt(client)];
    await approve(deployment, agent, letIn.user_code, demo);
    return {
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token ?? '',
      machineToken: await machineToken(client),
      codes: codes.map(String),
      deviceCodes: [letIn.device_code, pending.device_code],
      pendingUserCode: pending.user_code,
    };
  }

  /** Uses everything at each process. This spends the codes. */
  async function judge(id: string, issued: Issued) {
    const [all, client] = [ways(id), createApp(deployment, id)];
    let { refreshToken } = issued;
    return {
      access: await standing(deployment, client, issued.accessToken),
      machine: await inTurn(all, (way) => isActive(way, issued.machineToken)),
      refresh: await inTurn(all, async (way) => {
        const active = await isActive(way, refreshToken);
        const answer = await way.refresh(refreshToken);
        if (answer.status === 200) refreshToken = tokensOf(answer).refresh_token ?? '';
        return active === (answer.status === 200) ? answer.status : `${answer.status}, but ${active}`;
      }),
      codes: await inTurn(all, (way, index) => statusOf(way.redeem(issued.codes[index] ?? ''))),
      device: await statusOf(pollFor(client, issued.deviceCodes[0] ?? '')),
    };
  }

  const command = (...args: string[]) => runToEnd(args, { env: deployment.env, cwd: deployment.folder });
  const revoke = (id: string) => command('tokens', 'revoke', '--client', id);

  /** Waits until every process issues tokens under this token version. */
  const issuesUnder = (id: string, tokenVersion: number) =>
    waitFor(
      async () => {
        const tokens = await inTurn(ways(id), machineToken);
        return tokens.every((token) => numberIn(String(token)) === tokenVersion);
      },
      { what: `${id} to be issued tokens under ${tokenVersion}` },
    );

  test("everything issued to it is dead on every process at once; later tokens and other clients' tokens work", async () => {
    const [issued, others] = [await issue('leaked'), await issue('other')];
    expect(numberIn(issued.accessToken)).toBeUndefined();
    await revoke('leaked');
    expect(await judge('leaked', issued)).toEqual(dead);
    // This code was issued before the revocation, so a later approval doesn't help.
    await approve(deployment, agent, issued.pendingUserCode, demo);
    const late = await pollFor(createApp(deployment, 'leaked'), issued.deviceCodes[1] ?? '');
    expect([late.status, late.body.error]).toEqual([400, 'invalid_grant']);

    await issuesUnder('leaked', 1);
    const next = await issue('leaked');
    expect([numberIn(next.accessToken), numberIn(next.machineToken)]).toEqual([1, 1]);
    expect(await judge('leaked', next)).toEqual(live);
    expect(await judge('other', others)).toEqual(live);
    expect(await standing(deployment, createApp(deployment, 'leaked'), next.accessToken)).toBe('live');
  }, 120_000);

  test('after two revocations, tokens from before and between are dead, and later ones work', async () => {
    const first = await issue('twice');
    await revoke('twice');
    await issuesUnder('twice', 1);
    const between = await issue('twice');
    await revoke('twice');
    expect(await judge('twice', between)).toEqual(dead);
    expect(await judge('twice', first)).toEqual(dead);
    await revoke('twice');
    await issuesUnder('twice', 3);
    expect(await judge('twice', await issue('twice'))).toEqual(live);
  }, 120_000);

  test("a revoked first-party app's sign-ins are dead, and new ones work", async () => {
    const signIns = async () => [await apiLogin(deployment), await apiLogin(deployment)];
    const refresh = ({ refreshToken }: { refreshToken: string }, index: number) =>
      statusOf(postJson(oneProcess(deployment, index), '/auth/refresh', { refreshToken }));
    const before = await signIns();
    await revoke(demo.firstPartyClient);
    expect(await inTurn(before, refresh)).toEqual([401, 401]);
    await waitFor(async () => (await signIns()).every(({ accessToken }) => numberIn(accessToken) === 1));
    expect(await inTurn(await signIns(), refresh)).toEqual([200, 200]);
  }, 60_000);

  test('a started process applies the revocation from its first request', async () => {
    const before = await issue('restarted');
    await revoke('restarted');
    for (const program of deployment.programs) program.kill('SIGTERM');
    for (const index of deployment.origins.keys()) await deployment.restart(index);
    expect(await judge('restarted', before)).toEqual(dead);
    const tokens = await inTurn(ways('restarted'), machineToken);
    expect(tokens.map((token) => numberIn(String(token)))).toEqual([1, 1]);
  }, 120_000);
});
