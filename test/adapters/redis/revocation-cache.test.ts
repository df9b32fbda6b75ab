import { RedisRevocationCache } from '../../../adapters/redis/revocation-cache.ts';
import { revocationCacheContract } from '../../contract/revocation-cache.ts';
import { testRedisClusterUrl, testRedisUrl } from '../../support/redis.ts';
import { openStores } from './open-stores.ts';

const servers = [
  { name: 'one server', url: () => testRedisUrl(), cluster: false },
  { name: 'a cluster', url: () => testRedisClusterUrl(), cluster: true },
];

for (const { name, url, cluster } of servers) {
  revocationCacheContract(`RedisRevocationCache on ${name}`, async () => {
    const opened = await openStores({ url: url(), cluster }, (deps) => ({
      ...deps,
      store: new RedisRevocationCache(deps),
    }));
    const { redis } = opened.store;
    const node = redis.key('denylist', '');
    return {
      store: opened.store.store,
      clock: opened.clock,
      another: async () => (await opened.another()).store,
      // The server of the tests is shared, so only the data of this copy is deleted.
      loseData: () =>
        redis.run(async (client) => {
          const known = await client.keys(`${node}*`).catch(() => []);
          if (known.length > 0) await client.del(...known);
        }),
      close: opened.close,
    };
  });
}
