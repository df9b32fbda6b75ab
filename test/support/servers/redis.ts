import { Redis } from 'ioredis';
import { dockerServer } from './docker.ts';
import { serverFolder, serverOwner, startKept } from './kept-process.ts';
import { findProgram } from './programs.ts';
import { type ServerRecipe, startServer, type TestServer } from './server.ts';
import { stallProcesses } from './stall.ts';

export type RedisMode = 'single' | 'cluster';

/** One node that owns every slot. It refuses commands across slots, like a cluster of several nodes. */
const clusterArguments = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];
const everySlot = Array.from({ length: 16_384 }, (_, slot) => slot);

function serverArguments(mode: RedisMode, port: number): string[] {
  const common = ['--port', String(port), '--save', '', '--appendonly', 'no'];
  return mode === 'cluster' ? [...common, ...clusterArguments] : common;
}

async function withRedis(url: string, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  try {
    await redis.connect();
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

const answersPing = (url: string) =>
  withRedis(url, async (redis) => {
    await redis.ping();
  });

const stall = async (url: string) => {
  const ids: number[] = [];
  await withRedis(url, async (redis) => {
    const id = /process_id:(?<id>\d+)/.exec(await redis.info('server'))?.groups?.id;
    ids.push(Number(id));
  });
  return stallProcesses(ids);
};

const ownsEverySlot = (url: string) =>
  withRedis(url, async (redis) => {
    const info = String(await redis.call('CLUSTER', 'INFO'));
    if (info.includes('cluster_slots_assigned:0'))
      await redis.call('CLUSTER', 'ADDSLOTS', ...everySlot.map(String));
    if (!info.includes('cluster_state:ok')) throw new Error('the cluster is still forming');
  });

function recipe(mode: RedisMode, start: ServerRecipe['start']): ServerRecipe {
  return {
    name: mode === 'cluster' ? 'The Redis cluster' : 'Redis',
    // The cluster bus listens on this port plus 10,000.
    ...(mode === 'cluster' ? { highestPort: 55_535 } : {}),
    start,
    url: (port) => `redis://127.0.0.1:${port}`,
    ready: mode === 'cluster' ? ownsEverySlot : answersPing,
    stall,
  };
}

/** Starts a separate Redis from a program on this machine. Returns undefined if there is no such program. */
export async function startLocalRedis(mode: RedisMode): Promise<TestServer | undefined> {
  const program = findProgram(['redis-server', 'valkey-server']);
  if (program === undefined) return undefined;
  const start = (port: number) => {
    const owner = serverOwner();
    const folder = serverFolder(`redis-${mode}`, owner);
    const args = [...serverArguments(mode, port), '--bind', '127.0.0.1', '--dir', folder];
    return startKept({ program, args, folder, owner });
  };
  return startServer(recipe(mode, start));
}

/** Starts Redis in a container. The port inside is the same because a cluster node announces its port. */
export function startDockerRedis(mode: RedisMode): Promise<TestServer> {
  const start = (port: number) =>
    dockerServer({
      image: 'redis:7',
      publish: `127.0.0.1:${port}:${port}`,
      args: ['redis-server', ...serverArguments(mode, port), '--protected-mode', 'no'],
    });
  return startServer(recipe(mode, start));
}
