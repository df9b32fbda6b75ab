import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './address.ts';

export type RedisClient = Redis | Cluster;

export interface Credentials {
  username?: string | undefined;
  password?: string | undefined;
}

/** From 50 ms to 2 s, doubled each time, with jitter so that pods don't come back in step. */
function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000) + Math.floor(Math.random() * 200);
}

function connectionOptions(address: RedisAddress, credentials: Credentials, commandTimeoutMs: number) {
  return {
    ...credentials,
    ...(address.tls ? { tls: {} } : {}),
    commandTimeout: commandTimeoutMs,
    connectTimeout: 5000,
    disconnectTimeout: 250,
    // A peer may disappear without closing the connection. Drop the connection then, so that commands don't time out on
    // it one by one.
    socketTimeout: 2 * commandTimeoutMs,
    // A command whose reply got lost may have run. Only its caller knows whether to ask again, so it fails at once.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // A replica that was the primary until a failover.
    reconnectOnError: (error) => error.message.includes('READONLY'),
  } satisfies RedisOptions;
}

type ConnectionOptions = ReturnType<typeof connectionOptions>;

function createSingle(address: RedisAddress, options: ConnectionOptions): Redis {
  return new Redis({
    ...options,
    host: address.host,
    port: address.port,
    db: address.database,
    // Nothing waits in a queue without bound while Redis is away: see `readiness.ts`.
    enableOfflineQueue: false,
    retryStrategy: retryDelayMs,
  });
}

function createCluster(address: RedisAddress, options: ConnectionOptions): Cluster {
  return new Cluster([{ host: address.host, port: address.port }], {
    redisOptions: options,
    // Certificates name hosts, not addresses, so names must reach the TLS handshake unresolved.
    dnsLookup: (host, callback) => callback(null, host),
    // Nodes connect when first used; commands wait there for the handshake, bounded by their timeout.
    enableOfflineQueue: true,
    // As above: no second try of a command that may have run.
    retryDelayOnFailover: 0,
    slotsRefreshInterval: 30_000,
    clusterRetryStrategy: retryDelayMs,
  });
}

/** A client that fails quickly, comes back by itself and never repeats a command that may have run. */
export function createClient(
  address: RedisAddress,
  cluster: boolean,
  credentials: Credentials,
  commandTimeoutMs: number,
): RedisClient {
  const options = connectionOptions(address, credentials, commandTimeoutMs);
  return cluster ? createCluster(address, options) : createSingle(address, options);
}
