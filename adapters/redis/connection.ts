import { readFileSync } from 'node:fs';
import { readRedisUrl } from '../../provider/lib/connection-urls.ts';
import { ConfigurationError, StoreUnavailable } from '../../provider/lib/errors.ts';
import type { Dependency } from '../../provider/ports/dependency.ts';
import { createClient, type RedisClient, type ServerAddress } from './client.ts';
import { closeClient } from './close.ts';
import { keepCredentialsFresh, type RedisCredentials } from './fresh-credentials.ts';
import { createReadiness } from './readiness.ts';
import { type RedisStateChange, tellStateChanges } from './state-changes.ts';
import { reasonOf, toStoreError } from './store-errors.ts';
import { createWriteTogether } from './write-together.ts';

export interface RedisSettings {
  /** `redis://` or, with TLS, `rediss://`. For a cluster, its configuration endpoint or any node. */
  url: string;
  cluster: boolean;
  /** The prefix of every key. The default is `gatehouse:`. */
  keyPrefix?: string | undefined;
  /**
   * Asked before the first connection and after each lost connection. Takes precedence over user name and password in
   * the URL. `candidates` reads past any cache and gives the current credential first.
   */
  credentials?: RedisCredentials | undefined;
  /** The path of a PEM file with the certificate authorities that are trusted, instead of those that Node knows. */
  caFile?: string | undefined;
  /** The longest time for a command, in milliseconds. The default is 2000. */
  commandTimeoutMs?: number | undefined;
  /**
   * After a lost connection, calls wait this long for a new one before they fail at once. In milliseconds; the default
   * is 1000.
   */
  patienceMs?: number | undefined;
  onStateChange?: ((change: RedisStateChange) => void) | undefined;
  /** Called when a credential that expires can't be renewed, or a connection can't authenticate again with it. */
  onCredentialTrouble?: ((reason: string) => void) | undefined;
}

export interface RedisConnection {
  /** For `/readyz`, and to close the connection when the process stops. */
  readonly dependency: Dependency;
  /** Gives a key whose hash tag is `tag`. All keys with the same tag are in the same slot of a cluster. */
  key(tag: string, part: string): string;
  /**
   * Calls `work` with the client. Throws StoreUnavailable when Redis is unavailable or does not answer in time. In this
   * case a write may have happened or not.
   */
  run<T>(work: (client: RedisClient) => Promise<T>): Promise<T>;
  /**
   * Gives a function that runs a Lua script. The first call on a connection sends the text; later calls send its hash.
   * All keys of a call must have the same tag.
   */
  script(name: string, lua: string): RedisScript;
}

export type RedisScript = (keys: string[], args: (string | number)[]) => Promise<unknown>;

function readCaFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigurationError([
      `The file with the certificate authorities of Redis can't be read: ${(error as Error).message}.`,
    ]);
  }
}

function readAddress(settings: RedisSettings): ServerAddress {
  const read = readRedisUrl(settings.url);
  if (!read.ok) throw new ConfigurationError(read.problems.map((problem) => `The Redis URL ${problem}.`));
  const address = read.value;
  if (settings.cluster && address.database !== 0) {
    throw new ConfigurationError([
      'A Redis cluster has only database 0: take the number from the Redis URL.',
    ]);
  }
  if (settings.caFile !== undefined && !address.tls) {
    throw new ConfigurationError([
      'There are certificate authorities for Redis, but its URL does not begin with rediss://, so there is no TLS.',
    ]);
  }
  const ca = settings.caFile === undefined ? undefined : readCaFile(settings.caFile);
  return { ...address, cluster: settings.cluster, ca };
}

interface RunningCall {
  until: number;
  fail(error: Error): void;
}

/**
 * Gives a function that rejects when work takes longer than `limitMs`. All calls have the same limit, so one timer is
 * enough. A timer for each call costs more than writing its command. The calls are in places that are used again, and not
 * in a Set, for the reason that `listen` in `http/server.ts` gives.
 */
function createTimeLimit(limitMs: number): <T>(work: Promise<T>) => Promise<T> {
  const running: (RunningCall | undefined)[] = [];
  const free: number[] = [];
  let isWaiting = false;
  const check = () => {
    let nextMs = Number.POSITIVE_INFINITY;
    const now = performance.now();
    for (const call of running) {
      if (call === undefined) continue;
      if (call.until > now) nextMs = Math.min(nextMs, call.until - now);
      else call.fail(new Error('no reply in time'));
    }
    isWaiting = Number.isFinite(nextMs);
    if (isWaiting) setTimeout(check, nextMs).unref();
  };
  return (work) =>
    new Promise((resolve, reject) => {
      const place = free.pop() ?? running.length;
      const done = () => {
        if (running[place] !== call) return;
        running[place] = undefined;
        free.push(place);
      };
      const fail = (error: unknown) => {
        done();
        reject(error);
      };
      const call = { until: performance.now() + limitMs, fail };
      running[place] = call;
      if (!isWaiting) setTimeout(check, limitMs).unref();
      isWaiting = true;
      work.then((value) => {
        done();
        resolve(value);
      }, fail);
    });
}

function defineScript(
  client: RedisClient,
  run: RedisConnection['run'],
  name: string,
  lua: string,
): RedisScript {
  client.defineCommand(name, { lua });
  // The driver adds the command to the client as a method that its types do not contain.
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
  const within = createTimeLimit(commandTimeoutMs);
  return async (work) => {
    if (client.status !== 'ready') await readiness.settled();
    if (client.status !== 'ready')
      throw new StoreUnavailable('Redis', new Error(`connection is ${client.status}`));
    writeTogether();
    try {
      return await within(work(client));
    } catch (error) {
      throw toStoreError(error);
    }
  };
}

/**
 * Opens a connection to one Redis server or to a cluster. Resolves before it is connected, and tries to connect until
 * it is closed.
 *
 * @throws ConfigurationError for a URL that can't be used; any error that `credentials` throws
 */
export async function openRedis(settings: RedisSettings): Promise<RedisConnection> {
  const { commandTimeoutMs = 2000, patienceMs = 1000, keyPrefix = 'gatehouse:' } = settings;
  const address = readAddress(settings);
  const given = await settings.credentials?.current();
  const credentials = {
    username: given?.user ?? address.username,
    password: given?.password ?? address.password,
  };
  const client = createClient(address, credentials, commandTimeoutMs);
  tellStateChanges(client, settings.onStateChange ?? (() => {}));
  if (settings.credentials)
    keepCredentialsFresh(client, credentials, settings.credentials, (error) =>
      settings.onCredentialTrouble?.(reasonOf(error)),
    );
  const run = createRunner(client, commandTimeoutMs, patienceMs);
  return {
    dependency: {
      name: 'redis',
      // On a cluster this asks any node: the failure of one shard must not make every pod unready.
      ping: () => run(async (redis) => void (await redis.ping())),
      close: () => closeClient(client),
    },
    key: (tag, part) => `${keyPrefix}{${tag}}:${part}`,
    run,
    script: (name, lua) => defineScript(client, run, name, lua),
  };
}
