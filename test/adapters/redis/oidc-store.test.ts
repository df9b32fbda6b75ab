import { RedisOidcStore } from '../../../adapters/redis/oidc-store.ts';
import { oidcStoreContract } from '../../contract/oidc-store.ts';
import { testRedisClusterUrl, testRedisUrl } from '../../support/redis.ts';
import { openStores } from './open-stores.ts';

oidcStoreContract('RedisOidcStore on one server', () =>
  openStores({ url: testRedisUrl(), cluster: false }, (deps) => new RedisOidcStore(deps)),
);

oidcStoreContract('RedisOidcStore on a cluster', () =>
  openStores({ url: testRedisClusterUrl(), cluster: true }, (deps) => new RedisOidcStore(deps)),
);
