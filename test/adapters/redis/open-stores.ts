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

/** Opens a store over keys of its own, and on request more of them through further connections. */
export async function openStores<Store>(
  server: { url: string; cluster: boolean },
  create: (deps: { redis: RedisConnection; clock: Clock }) => Store,
): Promise<OpenStores<Store>> {
  const keyPrefix = uniquePrefix();
  // Near the real time, by which Redis drops keys.
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
