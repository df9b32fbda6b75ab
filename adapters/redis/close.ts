import { once } from 'node:events';
import { Cluster } from 'ioredis';
import type { RedisClient } from './client.ts';

function hasConnection(client: RedisClient): boolean {
  if (client instanceof Cluster) return client.nodes().length > 0;
  return ['connecting', 'connect', 'ready'].includes(client.status);
}

/** Closes the client permanently. Resolves when its connections are closed, or at once when it has none. */
export async function closeClient(client: RedisClient): Promise<void> {
  if (client.status === 'end') return;
  const wait = hasConnection(client);
  const ended = new AbortController();
  // The driver destroys a connection that does not close in time, and emits `end` after that.
  const end = wait ? once(client, 'end', { signal: ended.signal }) : Promise.resolve();
  const timer = setTimeout(() => ended.abort(), 1000);
  client.disconnect();
  await Promise.resolve(end).catch(() => {});
  clearTimeout(timer);
}
