import { Cluster, type Redis } from 'ioredis';
import type { Credential } from '../../provider/lib/credentials.ts';
import type { Credentials, RedisClient } from './client.ts';

/** Where the credentials for Redis come from. */
export interface RedisCredentials {
  /** The credential for the next connection. May come from a cache. */
  current(): Promise<Credential>;
  /** All credentials that may be right now, the current one first, read past any cache. */
  candidates(): Promise<Credential[]>;
}

/** Whether Redis refused user name or password. */
const isRefused = (error: unknown) =>
  /^(WRONGPASS|NOAUTH|ERR invalid password)/.test((error as Error).message);

/**
 * Reads the credential again after each lost connection, and past any cache after a refused one, so that a rotated
 * credential is used. The driver takes it from its options each time it connects. An attempt to connect before the new
 * credential arrives fails; the next attempt uses it. When it can't be read, the previous one stays in use.
 */
export function keepCredentialsFresh(
  client: RedisClient,
  initial: Credentials,
  { current, candidates }: RedisCredentials,
): void {
  let inUse = initial;
  let refused = false;
  let asking: Promise<void> | undefined;

  const use = (node: Redis) => {
    node.options.password = inUse.password;
    node.options.username = inUse.username;
  };
  const nodes = () => (client instanceof Cluster ? client.nodes() : [client]);
  const next = async () => {
    if (!refused) return current();
    refused = false;
    return (await candidates())[0] ?? current();
  };
  const refresh = () => {
    if (asking) return;
    asking = next()
      .then(({ user, password }) => {
        inUse = { username: user ?? initial.username, password };
        nodes().forEach(use);
      })
      .catch((error: unknown) => {
        client.emit('error', error);
      })
      .finally(() => {
        asking = undefined;
      });
  };
  const note = (error: unknown) => {
    refused ||= isRefused(error);
  };

  client.on('error', note);
  client.on('node error', note);
  client.on('reconnecting', refresh);
  client.on('-node', refresh);
  client.on('+node', use);
}
