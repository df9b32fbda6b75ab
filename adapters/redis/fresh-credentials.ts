import { Cluster, type Redis } from 'ioredis';
import type { Credential } from '../../provider/lib/credentials.ts';
import type { Credentials, RedisClient } from './client.ts';

/** Where the credentials for Redis come from. */
export interface RedisCredentials {
  /** The credential for the first connection. May come from a cache. */
  current(): Promise<Credential>;
  /** All credentials that may be right now, the current one first, read past any cache. */
  candidates(): Promise<Credential[]>;
}

/**
 * Reads the credential again after each lost connection, so that a rotated one is used. The driver takes it from its
 * options each time it connects. An attempt to connect before the new credential arrives fails; the next attempt uses
 * it. When it can't be read, the previous one stays in use.
 */
export function keepCredentialsFresh(
  client: RedisClient,
  initial: Credentials,
  { candidates }: RedisCredentials,
): void {
  let now = initial;
  let asking: Promise<void> | undefined;

  const use = (node: Redis) => {
    node.options.password = now.password;
    node.options.username = now.username;
  };
  const nodes = () => (client instanceof Cluster ? client.nodes() : [client]);
  const refresh = () => {
    if (asking) return;
    asking = candidates()
      .then(([current]) => {
        if (current === undefined) return;
        now = { username: current.user ?? initial.username, password: current.password };
        nodes().forEach(use);
      })
      .catch((error: unknown) => {
        client.emit('error', error);
      })
      .finally(() => {
        asking = undefined;
      });
  };

  client.on('reconnecting', refresh);
  client.on('-node', refresh);
  client.on('+node', use);
}
