import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../../provider/lib/connection-urls.ts';

export type RedisClient = Redis | Cluster;

export interface ServerAddress extends RedisAddress {
  cluster: boolean;
  /** Certificate authorities in PEM, instead of those that Node knows. */
  ca?: string | undefined;
}

export interface Credentials {
  username?: string | undefined;
  password?: string | undefined;
}

/**
 * The delay grows from 50 ms to 2 s and doubles each time. It has jitter, so that pods don't reconnect at the same
 * time.
 */
function retryDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000) + Math.floor(Math.random() * 200);
}

function connectionOptions(address: ServerAddress, credentials: Credentials, commandTimeoutMs: number) {
  const { tls, ca } = address;
  return {
    ...credentials,
    ...(tls ? { tls: { ...(ca !== undefined && { ca }) } } : {}),
    connectTimeout: 5000,
    disconnectTimeout: 250,
    // `connection.ts` limits the time of commands: the driver's own limit costs a timer for each command.
    // A peer may disappear without closing the connection. Drop the connection then, so that commands don't time out on
    // it one by one.
    socketTimeout: 2 * commandTimeoutMs,
    // A command without a reply may have run. Only its caller knows whether it can be repeated, so it fails at once.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // After a failover, the connection may lead to the old primary, which is a replica now. Connect again.
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
    // No command waits in an unbounded queue while Redis is unavailable: see `readiness.ts`.
    enableOfflineQueue: false,
    retryStrategy: retryDelayMs,
  });
}

function createCluster(address: RedisAddress, options: ConnectionOptions): Cluster {
  return new Cluster([{ host: address.host, port: address.port }], {
    redisOptions: options,
    // Certificates contain host names and not addresses, so the TLS handshake needs the name and not the resolved
    // address.
    dnsLookup: (host, callback) => callback(null, host),
    // The client connects to a node when it first uses it. Commands wait for this connection in a queue, and the time
    // limit of `connection.ts` bounds the wait.
    enableOfflineQueue: true,
    // As above: a command that may have run is not repeated.
    retryDelayOnFailover: 0,
    slotsRefreshInterval: 30_000,
    clusterRetryStrategy: retryDelayMs,
  });
}

/** Creates a client that fails quickly, reconnects automatically and never repeats a command that may have run. */
export function createClient(
  address: ServerAddress,
  credentials: Credentials,
  commandTimeoutMs: number,
): RedisClient {
  const options = connectionOptions(address, credentials, commandTimeoutMs);
  return address.cluster ? createCluster(address, options) : createSingle(address, options);
}
