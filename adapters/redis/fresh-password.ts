import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/**
 * Reads the password again after each lost connection, so that a rotated password is used. The driver takes the
 * password from its options each time it connects. An attempt to connect before the new password arrives fails; the
 * next attempt uses it. When the password can't be read, the previous one stays in use.
 */
export function keepPasswordFresh(client: RedisClient, initial: string, ask: () => Promise<string>): void {
  let current = initial;
  let asking: Promise<void> | undefined;

  const use = (node: Redis) => {
    node.options.password = current;
  };
  const nodes = () => (client instanceof Cluster ? client.nodes() : [client]);
  const refresh = () => {
    if (asking) return;
    asking = ask()
      .then((password) => {
        current = password;
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
