import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/**
 * Asks for the password again whenever a connection was lost, so that a rotated one is picked up: the driver takes
 * it from its options each time it connects. An attempt made before the answer fails, and the next one has it.
 * When the password can't be had, the last one stays in use.
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
