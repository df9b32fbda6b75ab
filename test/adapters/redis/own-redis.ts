import { Redis } from 'ioredis';
import { type RedisMode, startDockerRedis, startLocalRedis } from '../../support/servers/redis.ts';
import { openRelay } from './relay.ts';

/** A Redis for one test, which the test can stop. It keeps its address and no data, like any Redis without a disk. */
export interface OwnRedis {
  url: string;
  /** The address without the relay. */
  directUrl(): string;
  stop(): Promise<void>;
  /** Stalls the Redis process. Returns a function that continues it. */
  stall(): Promise<() => Promise<void>>;
  /** All its data. */
  snapshot(): Promise<RedisSnapshot>;
  /** Starts Redis again at the same address, empty or with the given data. */
  restart(holding?: RedisSnapshot): Promise<void>;
  cutConnections(): Promise<void>;
  fallSilent(): void;
  /** Ends the effect of `cut` or `silence`. */
  mend(): Promise<void>;
}

/** Each key as Redis serializes it, with its expiry in milliseconds since the epoch. */
export type RedisSnapshot = { key: string; value: Buffer; expiresAt: number }[];

async function snapshotOf(url: string): Promise<RedisSnapshot> {
  const redis = new Redis(url);
  const snapshot: RedisSnapshot = [];
  for (const key of await redis.keys('*')) {
    const [value, expiresAt] = [await redis.dumpBuffer(key), await redis.pexpiretime(key)];
    // A key that has expired in the meantime has no value.
    if (value) snapshot.push({ key, value, expiresAt: Math.max(expiresAt, 0) });
  }
  redis.disconnect();
  return snapshot;
}

async function restore(url: string, snapshot: RedisSnapshot): Promise<void> {
  const redis = new Redis(url);
  for (const { key, value, expiresAt } of snapshot) await redis.restore(key, expiresAt, value, 'ABSTTL');
  redis.disconnect();
}

/** A cluster node announces its address to clients. The address must be that of the relay. */
async function announce(url: string, port: number): Promise<void> {
  const redis = new Redis(url);
  await redis.config('SET', 'cluster-announce-port', port);
  redis.disconnect();
}

/** Starts a Redis for a test that stops it. */
export async function startOwnRedis(mode: RedisMode = 'single'): Promise<OwnRedis> {
  const start = async () => (await startLocalRedis(mode)) ?? (await startDockerRedis(mode));
  let server = await start();
  const port = () => Number(new URL(server.url).port);
  const relay = await openRelay(port());
  const announced = async () => {
    if (mode === 'cluster') await announce(server.url, relay.port);
  };
  await announced();
  return {
    url: `redis://127.0.0.1:${relay.port}`,
    directUrl: () => server.url,
    stop: async () => {
      await server.stop();
      await relay.cut();
    },
    stall: () => server.stall(),
    snapshot: () => snapshotOf(server.url),
    restart: async (holding = []) => {
      server = await start();
      await announced();
      await restore(server.url, holding);
      await relay.mend(port());
    },
    cutConnections: relay.cut,
    fallSilent: relay.silence,
    mend: () => relay.mend(port()),
  };
}
