import { RedisFamilyStore } from '../../../adapters/redis/family-store.ts';
import { familyStoreContract } from '../../contract/family-store.ts';
import { testRedisClusterUrl, testRedisUrl } from '../../support/redis.ts';
import { openStores } from './open-stores.ts';

familyStoreContract('RedisFamilyStore on one server', () =>
  openStores({ url: testRedisUrl(), cluster: false }, (deps) => new RedisFamilyStore(deps)),
);

familyStoreContract('RedisFamilyStore on a cluster', () =>
  openStores({ url: testRedisClusterUrl(), cluster: true }, (deps) => new RedisFamilyStore(deps)),
);
