import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { type Clock, systemClock } from '../../../provider/lib/clock.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { uniquePrefix } from '../../support/redis.ts';

export interface OpenStores<Store> {
  store: Store;
  clock: ManualClock;
  another(): Promise<Store>;
  close(): Promise<void>;
}

/** Opens a store with its own keys. On request it opens more stores on the same keys, each with its own connection. */
export async function openStores<Store>(
  server: { url: string; cluster: boolean },
  create: (deps: { redis: RedisConnection; clock: Clock }) => Store,
): Promise<OpenStores<Store>> {
  const keyPrefix = uniquePrefix();
  // Near the real time, because Redis expires keys by its own clock.
  const clock = createManualClock(systemClock.now());
  const connections: RedisConnection[] = [];
  const another = async () => {
    const redis = await openRedis({ ...server, keyPrefix });
    connections.push(redis);
    return create({ redis, clock });
  };
  return {
    store: await another(),
    clock,
    another,
    close: async () => {
      await Promise.all(connections.map(({ dependency }) => dependency.close()));
    },
  };
}
