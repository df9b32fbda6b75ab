import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { randomToken } from '../../provider/lib/ids.ts';
import { atOnce } from '../support/at-once.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { uniquePrefix } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/servers/redis-cluster.ts';
import { newPerson, openAccount, signedInBrowser, signOut, silently } from '../support/sign-in.ts';
import { type JsonAnswer, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, offline, standing, tally } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor, tvDocument } from './devices.ts';

const clients = [
  appDocument('web', { graceSeconds: 60 }),
  tvDocument('tv'),
  appDocument('machine', { grants: ['client_credentials'], redirectUris: [], scopes: ['contracts:read'] }),
  appDocument('own', {
    graceSeconds: 60,
    auth: 'none',
    firstParty: true,
    grants: ['authorization_code', 'refresh_token', 'password'],
  }),
];

/** The rights that `docs/secrets.md` tells operators to give to the user of Gatehouse. */
const rights =
  'resetkeys resetchannels -@all +@read +@write +@scripting +@connection -@dangerous +info +cluster|slots +cluster|shards +cluster|nodes +cluster|info +time';

/** A command that a node ran: by itself, or inside a script. */
interface Seen {
  inScript: boolean;
  args: string[];
}

/** Records every command of the nodes. Stops when the returned function is called, and gives the commands of each node. */
async function watch(nodes: readonly Redis[]): Promise<() => Seen[][]> {
  const monitors = await Promise.all(nodes.map((node) => node.monitor()));
  const seen: Seen[][] = nodes.map(() => []);
  monitors.forEach((monitor, index) => {
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      seen[index]?.push({ inScript: source === 'lua', args });
    });
  });
  return () => {
    for (const monitor of monitors) monitor.disconnect();
    return seen;
  };
}

/** The keys of a command inside a script. All that our scripts use have one key, except DEL and TIME. */
function keysOf([command = '', ...args]: string[]): string[] {
  if (/^time$/i.test(command)) return [];
  return /^(del|unlink|exists)$/i.test(command) ? args : args.slice(0, 1);
}

/** The keys that scripts touched without naming them in the call. A node reports a script first, then its commands. */
function unnamedKeys(commands: Seen[]): { scripts: number; unnamed: string[] } {
  let named: string[] = [];
  let scripts = 0;
  const unnamed: string[] = [];
  for (const { inScript, args } of commands) {
    if (inScript) unnamed.push(...keysOf(args).filter((key) => !named.includes(key)));
    else if (/^eval(sha)?$/i.test(args[0] ?? '')) {
      scripts += 1;
      named = args.slice(3, 3 + Number(args[2]));
    }
  }
  return { scripts, unnamed };
}

describe('on a Redis cluster of three primaries, as a user with few rights', () => {
  let cluster: RedisCluster;
  let deployment: FleetDeployment;
  let web: TestClient;
  const prefix = uniquePrefix();

  beforeAll(async () => {
    cluster = await startRedisCluster();
    const password = randomToken(16);
    const rule = [...rights.split(' '), `~${prefix}*`, `>${password}`, 'on'];
    await Promise.all(cluster.nodes.map((node) => node.acl('SETUSER', 'gatehouse', 'reset', ...rule)));
    const url = new URL(cluster.url);
    [url.username, url.password] = ['gatehouse', password];
    deployment = await startServers({
      clients,
      env: {
        ...deviceFlow,
        GATEHOUSE_REDIS_URL: url.href,
        GATEHOUSE_REDIS_CLUSTER: 'true',
        GATEHOUSE_REDIS_KEY_PREFIX: prefix,
      },
    });
    web = createApp(deployment, 'web');
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await cluster?.stop();
  });

  const log = () => deployment.programs.map((program) => program.output()).join('');
  /** Refresh tokens of different families, whose keys are spread over the nodes. */
  const refreshTokens = async (count: number) => {
    const agent = createUserAgent(deployment);
    const tokens: string[] = [];
    while (tokens.length < count) tokens.push((await web.signIn(agent, offline)).refresh_token ?? '');
    return tokens;
  };

  test('all flows work, and every script names every key that it touches', async () => {
    const stopWatching = await watch(cluster.nodes);
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);

    const tokens = await web.signIn(agent, offline, person);
    expect(await standing(deployment, web, tokens.access_token)).toBe('live');
    const refreshed = tokensOf(await web.refresh(tokens.refresh_token));
    expect((await web.refresh(tokens.refresh_token)).body.refresh_token).toBe(refreshed.refresh_token);
    expect(await silently(agent, web)).toBe('code');
    expect((await web.post('revoke', { token: refreshed.refresh_token })).status).toBe(200);
    expect((await web.refresh(refreshed.refresh_token)).status).toBe(400);
    expect(await standing(deployment, web, refreshed.access_token)).toBe('dead');

    const code = await web.code(agent, { scope: allScopes }, person);
    const redeemed = await atOnce(20, () => web.redeem(code));
    expect(redeemed.filter(({ status }) => status === 200)).toHaveLength(1);

    const pushed = await web.post('par', { response_type: 'code', scope: allScopes });
    expect([pushed.status, pushed.body.error]).not.toContain('server_error');

    const tv = createApp(deployment, 'tv');
    const device = await beginAt(tv);
    expect((await pollFor(tv, device.device_code)).body.error).toBe('authorization_pending');
    await approve(deployment, agent, device.user_code, person);
    await waitFor(async () => (await pollFor(tv, device.device_code)).status === 200, { intervalMs: 500 });

    const machine = createApp(deployment, 'machine');
    expect((await machine.clientCredentials({ scope: 'contracts:read' })).status).toBe(200);

    const login = await apiLogin(deployment, { clientId: 'own' });
    const again = await callJsonApi(deployment, '/auth/refresh', {
      refreshToken: login.refreshToken,
      clientId: 'own',
    });
    expect(again.status).toBe(200);
    const out = { refreshToken: String(again.body.refreshToken), clientId: 'own' };
    expect((await callJsonApi(deployment, '/auth/logout', out)).status).toBeLessThan(300);
    expect((await callJsonApi(deployment, '/auth/refresh', out)).status).toBe(401);
    const wrong = { email: person.email, password: 'not the password', clientId: 'own' };
    expect((await callJsonApi(deployment, '/auth/login', wrong)).status).toBe(401);

    const account = await openAccount(deployment, agent, person);
    expect(account.html).toContain(person.email);
    await signOut(deployment, agent);
    expect(await silently(agent, web)).toBe('login_required');
    expect(await silently(await signedInBrowser(deployment, person), web)).toBe('code');

    const seen = stopWatching().map(unnamedKeys);
    expect(seen.flatMap(({ unnamed }) => unnamed)).toEqual([]);
    // Every primary ran scripts, so keys of every slot were tried.
    for (const { scripts } of seen.slice(0, 3)) expect(scripts).toBeGreaterThan(5);
    expect(log()).not.toMatch(/NOPERM|CROSSSLOT/);
  }, 60_000);

  /** The answers to ten parallel redemptions of each of these tokens, by token. */
  const redeemAll = (tokens: string[]): Promise<JsonAnswer[][]> =>
    Promise.all(tokens.map((token) => atOnce(10, () => web.refresh(token))));
  const bodies = (answers: readonly JsonAnswer[]) =>
    Object.keys(tally(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)));
  /** The pair of nodes that have the same slots, the primary first. The tests may run in any order. */
  const pair = async (): Promise<[Redis, Redis]> => {
    const [first = cluster.replica] = cluster.primaries;
    return (await isPrimary(first)) ? [first, cluster.replica] : [cluster.replica, first];
  };
  const isPrimary = async (node: Redis) => (await node.info('replication')).includes('role:master');

  test('G1: refreshes during a planned failover have one answer each, and none fails', async () => {
    const tokens = await refreshTokens(12);
    const answers: JsonAnswer[][] = tokens.map(() => []);
    const redeemOnce = async () => {
      for (const [index, more] of (await redeemAll(tokens)).entries()) answers[index]?.push(...more);
    };
    const [, replica] = await pair();
    const promoted = replica
      .call('CLUSTER', 'FAILOVER')
      .then(() => waitFor(() => isPrimary(replica), { intervalMs: 5 }));
    let isOver = false;
    void promoted
      .catch(() => {})
      .then(() => {
        isOver = true;
      });
    do await redeemOnce();
    while (!isOver);
    await promoted;
    await redeemOnce();
    for (const index of tokens.keys()) {
      const all = answers[index] ?? [];
      expect(bodies(all)).toHaveLength(1);
      expect(all[0]?.status).toBe(200);
    }
  }, 60_000);

  test('G1: a repeat after a primary failed gets the same answer from its replica, and ends nothing', async () => {
    const [former, replica] = await pair();
    await waitFor(async () => (await replica.info('replication')).includes('master_link_status:up'));
    const tokens = await refreshTokens(12);
    const first = await Promise.all(tokens.map((token) => web.refresh(token)));
    const offset = async (node: Redis, name: string) =>
      new RegExp(`${name}:(\\d+)`).exec(await node.info('replication'))?.[1];
    await waitFor(
      async () =>
        (await offset(former, 'master_repl_offset')) === (await offset(replica, 'slave_repl_offset')),
    );
    const id = /process_id:(\d+)/.exec(await former.info('server'))?.[1];
    process.kill(Number(id), 'SIGKILL');
    await waitFor(() => isPrimary(replica), { timeoutMs: 20_000, what: 'the replica to take over' });
    // While a process knows no primary that has the slot, the store is unavailable, and the app tries again.
    const untilAnswered = (token: string) =>
      waitFor(async () => {
        const answer = await web.refresh(token);
        return answer.status === 503 ? undefined : answer;
      });
    for (const [index, token] of tokens.entries()) {
      const same = first[index]?.body.refresh_token;
      const answer = await untilAnswered(token);
      expect([answer.status, answer.body.refresh_token]).toEqual([200, same]);
      expect((await untilAnswered(same as string)).status).toBe(200);
    }
  }, 90_000);
});
