import { Redis } from 'ioredis';
import { type RedisMode, startDockerRedis, startLocalRedis } from '../../support/servers/redis.ts';
import { openRelay } from './relay.ts';

/** A Redis of a test's own, which can be taken away. It keeps its address and, like any Redis without a disk, nothing else. */
export interface OwnRedis {
  url: string;
  /** Its address without the relay. */
  directUrl(): string;
  stop(): Promise<void>;
  /** Stalls the process itself; gives what ends that. */
  stall(): Promise<() => Promise<void>>;
  /** Starts it again, empty, at the same address. */
  restart(): Promise<void>;
  cutConnections(): Promise<void>;
  fallSilent(): void;
  /** Ends a cut or a silence. */
  mend(): Promise<void>;
}

/** A cluster's node tells its clients where it is: they must come through the relay, too. */
async function announce(url: string, port: number): Promise<void> {
  const redis = new Redis(url);
  await redis.config('SET', 'cluster-announce-port', port);
  redis.disconnect();
}

/** Starts a Redis of its own for a test that takes it away. */
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
    restart: async () => {
      server = await start();
      await announced();
      await relay.mend(port());
    },
    cutConnections: relay.cut,
    fallSilent: relay.silence,
    mend: () => relay.mend(port()),
  };
}
