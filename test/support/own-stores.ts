import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { openRelay } from '../adapters/redis/relay.ts';
import { startDockerPostgres, startLocalPostgres } from './servers/postgres.ts';
import type { TestServer } from './servers/server.ts';

/** A server that is reached through a relay, so that a test can cut its connections. */
export interface RelayedServer {
  /** The server's URL with the relay's address. */
  url: string;
  /** Ends all connections, and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  mend(): Promise<void>;
}

/** Puts a relay in front of a server on this machine. */
export async function relayed(serverUrl: string): Promise<RelayedServer> {
  const url = new URL(serverUrl);
  const port = Number(url.port);
  const relay = await openRelay(port);
  url.port = String(relay.port);
  return { url: url.href, cut: relay.cut, mend: () => relay.mend(port) };
}

/** Postgres and Redis that belong to one test, which may stall, cut and stop them. */
export interface OwnStores {
  postgres: TestServer;
  /** The way to Postgres for the processes under test. */
  postgresRelay: RelayedServer;
  redis: OwnRedis;
  stop(): Promise<void>;
}

export async function startOwnStores(): Promise<OwnStores> {
  const [postgres, redis] = await Promise.all([
    startLocalPostgres().then((local) => local ?? startDockerPostgres()),
    startOwnRedis(),
  ]);
  const postgresRelay = await relayed(postgres.url);
  const stop = async () => {
    await postgresRelay.cut();
    await Promise.all([postgres.stop(), redis.stop()]);
  };
  return { postgres, postgresRelay, redis, stop };
}
