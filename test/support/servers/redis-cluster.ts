import { Redis } from 'ioredis';
import { waitFor } from '../wait-for.ts';
import { serverFolder, serverOwner, startKept } from './kept-process.ts';
import { canInstallPackages, findProgram, installPackages } from './programs.ts';
import { type ServerRecipe, startServer, type TestServer } from './server.ts';

/** A cluster of three primaries, and a replica of the first one. */
export interface RedisCluster {
  /** The URL of one primary. */
  url: string;
  /** Clients of all four nodes, with all rights. */
  nodes: readonly Redis[];
  primaries: readonly Redis[];
  /** The replica of the first primary. */
  replica: Redis;
  stop(): Promise<void>;
}

const find = () => findProgram(['redis-server', 'valkey-server']);

async function program(): Promise<string> {
  if (find() === undefined && canInstallPackages()) await installPackages(['redis-server']);
  const found = find();
  if (found === undefined) throw new Error('The test found no Redis: install redis-server.');
  return found;
}

function nodeRecipe(path: string): ServerRecipe {
  return {
    name: 'A node of the Redis cluster',
    // The cluster bus listens on this port plus 10,000.
    highestPort: 55_535,
    start: (port) => {
      const owner = serverOwner();
      const folder = serverFolder('redis-node', owner);
      const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'];
      const data = ['--save', '', '--appendonly', 'no', '--dir', folder, '--repl-diskless-sync-delay', '0'];
      const args = ['--port', String(port), '--bind', '127.0.0.1', ...data, ...cluster];
      return startKept({ program: path, args, folder, owner });
    },
    url: (port) => `redis://127.0.0.1:${port}`,
    ready: async (url) => {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      redis.on('error', () => {});
      await redis.connect();
      redis.disconnect();
    },
    stall: () => Promise.reject(new Error('stall a node by its process id')),
  };
}

const slotRanges = ['0 5460', '5461 10922', '10923 16383'].map((range) => range.split(' '));

async function form(primaries: readonly Redis[], replica: Redis, urls: readonly string[]): Promise<void> {
  await Promise.all(
    primaries.map((node, index) => node.call('CLUSTER', 'ADDSLOTSRANGE', ...(slotRanges[index] ?? []))),
  );
  for (const url of urls) await replica.call('CLUSTER', 'MEET', '127.0.0.1', new URL(url).port);
  const id = String(await primaries[0]?.call('CLUSTER', 'MYID'));
  const formed = { timeoutMs: 30_000, what: 'the cluster to form' };
  await waitFor(async () => String(await replica.call('CLUSTER', 'NODES')).includes(id), formed);
  await waitFor(() => replica.call('CLUSTER', 'REPLICATE', id), formed);
  await waitFor(async () => {
    const infos = await Promise.all([...primaries, replica].map((node) => node.call('CLUSTER', 'INFO')));
    const isFormed = (info: unknown) => /cluster_state:ok.*cluster_known_nodes:4/s.test(String(info));
    return infos.every(isFormed) && (await replica.info('replication')).includes('master_link_status:up');
  }, formed);
}

/** Starts a cluster of four processes on this machine. Its nodes lose their data when they end. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const recipe = nodeRecipe(await program());
  const servers: TestServer[] = await Promise.all(Array.from({ length: 4 }, () => startServer(recipe)));
  const urls = servers.map(({ url }) => url);
  const clients = urls.map((url) => {
    const client = new Redis(url, { retryStrategy: () => null });
    client.on('error', () => {});
    return client;
  });
  const [first, second, third, replica] = clients;
  if (!first || !second || !third || !replica) throw new Error('a node is missing');
  const primaries = [first, second, third];
  const stop = async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(servers.map((server) => server.stop()));
  };
  await form(primaries, replica, urls.slice(0, 3)).catch(async (error) => {
    await stop();
    throw error;
  });
  return { url: urls[1] ?? '', nodes: clients, primaries, replica, stop };
}
