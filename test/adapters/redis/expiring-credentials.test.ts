import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import type { CredentialExpiry } from '../../../adapters/redis/fresh-credentials.ts';
import { newId, randomToken } from '../../../provider/lib/ids.ts';
import { uniquePrefix } from '../../support/redis.ts';
import { startRedisCluster } from '../../support/servers/redis-cluster.ts';
import { waitFor } from '../../support/wait-for.ts';
import { startOwnRedis } from './own-redis.ts';

/** The servers of a test, with clients that have all rights, one for each node that the connection uses. */
interface Servers {
  url: string;
  nodes: readonly Redis[];
  stop(): Promise<void>;
}

async function startServers(mode: 'single' | 'cluster'): Promise<Servers> {
  if (mode === 'cluster') {
    const cluster = await startRedisCluster();
    return { url: cluster.url, nodes: cluster.primaries, stop: cluster.stop };
  }
  const server = await startOwnRedis();
  const node = new Redis(server.directUrl());
  const stop = async () => {
    node.disconnect();
    await server.stop();
  };
  return { url: server.url, nodes: [node], stop };
}

const hour = 3_600_000;
const rights = ['on', 'allcommands', 'allkeys', 'allchannels'];

describe.each(['single', 'cluster'] as const)('credentials of Redis that expire (%s)', (mode) => {
  let servers: Servers;
  let redis: RedisConnection | undefined;
  let user: string;
  /** Every token that was made, the newest last. */
  let minted: string[];
  let mint: ReturnType<typeof minter>;
  let troubles: string[];

  beforeAll(async () => {
    servers = await startServers(mode);
  }, 120_000);
  afterAll(() => servers?.stop());
  beforeEach(() => {
    [user, minted, troubles] = [newId('user'), [], []];
    mint = minter(user, minted);
  });
  afterEach(() => redis?.dependency.close());

  /** Makes the servers accept these tokens of a user and no others. Open connections stay open, as in ElastiCache. */
  const accept = (name: string, tokens: readonly string[]) =>
    Promise.all(
      servers.nodes.map((node) =>
        node.acl('SETUSER', name, 'reset', ...rights, ...tokens.map((token) => `>${token}`)),
      ),
    );
  /** Makes tokens. Each is accepted until two newer ones were made. */
  const minter = (name: string, made: string[]) => async () => {
    made.push(randomToken(16));
    await accept(name, made.slice(-2));
    return { user: name, password: made.at(-1) ?? '' };
  };
  const open = async (expiry: Partial<CredentialExpiry> = {}, current = mint) => {
    redis = await openRedis({
      url: servers.url,
      cluster: mode === 'cluster',
      keyPrefix: uniquePrefix(),
      patienceMs: 100,
      credentials: {
        current,
        candidates: async () => [await current()],
        expiry: { renewMs: hour, authenticateMs: hour, ...expiry },
      },
      onCredentialTrouble: (reason) => troubles.push(reason),
    });
    await waitFor(reachesAll);
    return redis;
  };
  /** Uses keys of all slots' ranges, so that there is a connection to each primary. */
  const reachesAll = async () => {
    const one = redis;
    if (one === undefined) return false;
    const keys = Array.from({ length: 60 }, (_, index) => one.key(`tag-${index}`, 'key'));
    await Promise.all(keys.map((key) => one.run((client) => client.set(key, 'value', 'PX', 60_000))));
    return true;
  };
  /** The connections of each node by their id, with the user that they authenticated as. */
  const connections = async (ofUser: (name: string) => boolean) => {
    const lists = await Promise.all(servers.nodes.map((node) => node.client('LIST')));
    return lists.map((list) =>
      [...String(list).matchAll(/^id=(\d+).* user=(\S+)/gm)]
        .map(([, id = '', name = '']) => ({ id, name }))
        .filter(({ name }) => ofUser(name)),
    );
  };
  const killConnections = () =>
    Promise.all(servers.nodes.map((node) => node.call('CLIENT', 'KILL', 'USER', user)));

  test('a lost connection is opened again with a new token, on every node', async () => {
    await open();
    const before = minted.length;
    // The time of all tokens is over.
    await accept(user, []);
    await killConnections();
    await waitFor(reachesAll);
    expect(minted.length).toBeGreaterThan(before);
    const all = await connections((name) => name === user);
    expect(all.every((ofNode) => ofNode.length > 0)).toBe(true);
  });

  test('open connections authenticate again in time, on every node, and stay the same connections', async () => {
    const [first, second] = [user, newId('user')];
    const password = randomToken(16);
    await accept(first, [password]);
    await accept(second, [password]);
    // With another name, the servers show which connections authenticated again.
    let name = first;
    await open({ authenticateMs: 100 }, async () => ({ user: name, password }));
    const ids = (found: { id: string }[][]) => found.map((ofNode) => ofNode.map(({ id }) => id).sort());
    const isOurs = (one: string) => one === first || one === second;
    // The client of a cluster closes the connection by which it read the slots.
    const before = await waitFor(async () => {
      const found = await connections(isOurs);
      return found.every((ofNode) => ofNode.length === 1) ? found : undefined;
    });
    name = second;
    const after = await waitFor(async () => {
      const found = await connections(isOurs);
      return found.flat().every((one) => one.name === second) ? found : undefined;
    });
    expect(ids(after ?? [])).toEqual(ids(before ?? []));
    expect(troubles).toEqual([]);
  });

  test('a connection that is opened later uses a token that is still accepted', async () => {
    const { run } = await open({ renewMs: 100 });
    const first = minted.length;
    await waitFor(() => minted.length >= first + 3);
    const later = await run(async (client) => {
      const node = client instanceof Cluster ? client.nodes('master')[0] : client;
      return node?.duplicate({ retryStrategy: () => null, enableOfflineQueue: true });
    });
    expect(await later?.ping()).toBe('PONG');
    later?.disconnect();
  });

  test('a refused token is reported without the token, and open connections go on', async () => {
    const password = randomToken(16);
    await accept(user, [password]);
    let next = password;
    await open({ authenticateMs: 100 }, async () => ({ user, password: next }));
    next = 'no-such-token';
    await waitFor(() => troubles.length > 0);
    expect(troubles[0]).toContain('WRONGPASS');
    expect(troubles.join()).not.toContain('no-such-token');
    expect(await reachesAll()).toBe(true);
  });

  test('a token that cannot be made is reported, and the last one stays in use', async () => {
    const password = randomToken(16);
    await accept(user, [password]);
    let fails = false;
    await open({ renewMs: 100 }, async () => {
      if (fails) throw new Error('No IAM token can be made');
      return { user, password };
    });
    fails = true;
    await waitFor(() => troubles.includes('No IAM token can be made'));
    await killConnections();
    await waitFor(reachesAll);
  });

  test('nothing is renewed after the connection was closed', async () => {
    const { dependency } = await open({ renewMs: 20, authenticateMs: 20 });
    await dependency.close();
    // The loss of each connection may still ask for a token.
    const most = minted.length + 3;
    // Another connection renews meanwhile, which shows that the time was long enough.
    redis = undefined;
    const [other, tokens] = [newId('user'), randomToken(16)];
    await accept(other, [tokens]);
    let renewals = 0;
    await open({ renewMs: 20 }, async () => {
      renewals += 1;
      return { user: other, password: tokens };
    });
    await waitFor(() => renewals >= 10);
    expect(minted.length).toBeLessThanOrEqual(most);
  });
});
