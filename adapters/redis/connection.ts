import { ConfigurationError, StoreUnavailable } from '../../provider/lib/errors.ts';
import type { Dependency } from '../../provider/ports/dependency.ts';
import { parseRedisAddress, type RedisAddress } from './address.ts';
import { createClient, type RedisClient } from './client.ts';
import { closeClient } from './close.ts';
import { keepPasswordFresh } from './fresh-password.ts';
import { createReadiness } from './readiness.ts';
import { type RedisStateChange, tellStateChanges } from './state-changes.ts';
import { toStoreError } from './store-errors.ts';
import { createWriteTogether } from './write-together.ts';

export interface RedisSettings {
  /** `redis://` or, with TLS, `rediss://`; for a cluster, its configuration endpoint or any node. */
  url: string;
  cluster: boolean;
  /** In front of every key; `gatehouse:` unless told. */
  keyPrefix?: string | undefined;
  /** Stand before those in the URL. */
  username?: string | undefined;
  /** Asked before the first connection and after each one lost. */
  password?: (() => Promise<string>) | undefined;
  /** How long a command may take, in milliseconds; 2000 unless told. */
  commandTimeoutMs?: number | undefined;
  /** How long calls wait for a connection that was just lost before they fail at once; 1000 ms unless told. */
  patienceMs?: number | undefined;
  onStateChange?: ((change: RedisStateChange) => void) | undefined;
}

export interface RedisConnection {
  /** For `/readyz` and the stop. */
  readonly dependency: Dependency;
  /** A key whose hash tag is `tag`: all keys of one tag are in the same slot of a cluster. */
  key(tag: string, part: string): string;
  /**
   * Gives the client to `work`. Throws StoreUnavailable when Redis is away or doesn't answer in time; then a write
   * may or may not have happened.
   */
  run<T>(work: (client: RedisClient) => Promise<T>): Promise<T>;
  /** A Lua script, sent whole once and called by its hash from then on. All keys must be of one tag. */
  script(name: string, lua: string): RedisScript;
}

export type RedisScript = (keys: string[], args: (string | number)[]) => Promise<unknown>;

function readAddress(settings: RedisSettings): RedisAddress {
  const address = parseRedisAddress(settings.url);
  if (settings.cluster && address.database !== 0) {
    throw new ConfigurationError([
      'A Redis cluster has only database 0: take the number from the Redis URL.',
    ]);
  }
  return address;
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no reply in time')), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function defineScript(
  client: RedisClient,
  run: RedisConnection['run'],
  name: string,
  lua: string,
): RedisScript {
  client.defineCommand(name, { lua });
  // The driver adds the command to the client as a method its types don't know.
  const scripted = client as unknown as Record<string, (...args: (string | number)[]) => Promise<unknown>>;
  return (keys, args) => run(async () => scripted[name]?.(keys.length, ...keys, ...args));
}

function createRunner(
  client: RedisClient,
  commandTimeoutMs: number,
  patienceMs: number,
): RedisConnection['run'] {
  const readiness = createReadiness(client, patienceMs);
  const writeTogether = createWriteTogether(client);
  return async (work) => {
    if (client.status !== 'ready') await readiness.settled();
    if (client.status !== 'ready')
      throw new StoreUnavailable('Redis', new Error(`connection is ${client.status}`));
    writeTogether();
    try {
      // The driver's own limit starts when a command is written; one that a cluster's client holds back has none.
      return await within(commandTimeoutMs + 250, work(client));
    } catch (error) {
      throw toStoreError(error);
    }
  };
}

/**
 * Opens a connection to one Redis or a cluster. Resolves without waiting for it, and goes on trying to connect
 * until it is closed. Throws ConfigurationError for a URL that can't be used, and what `password` throws.
 */
export async function openRedis(settings: RedisSettings): Promise<RedisConnection> {
  const { commandTimeoutMs = 2000, patienceMs = 1000, keyPrefix = 'gatehouse:' } = settings;
  const address = readAddress(settings);
  const password = settings.password ? await settings.password() : address.password;
  const credentials = { username: settings.username ?? address.username, password };
  const client = createClient(address, settings.cluster, credentials, commandTimeoutMs);
  tellStateChanges(client, settings.onStateChange ?? (() => {}));
  if (settings.password && password !== undefined) keepPasswordFresh(client, password, settings.password);
  const run = createRunner(client, commandTimeoutMs, patienceMs);
  return {
    dependency: {
      name: 'redis',
      // On a cluster this asks any node: one shard's failure mustn't take every pod out of service.
      ping: () => run(async (redis) => void (await redis.ping())),
      close: () => closeClient(client),
    },
    key: (tag, part) => `${keyPrefix}{${tag}}:${part}`,
    run,
    script: (name, lua) => defineScript(client, run, name, lua),
  };
}
