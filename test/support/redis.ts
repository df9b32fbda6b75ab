import { randomBytes } from 'node:crypto';

/** The URL of the tests' Redis. All tests share it: only use keys under a `uniquePrefix()`, and never flush it. */
export function testRedisUrl(): string {
  const url = process.env.GATEHOUSE_TEST_REDIS_URL;
  if (url) return url;
  throw new Error('This test needs Redis, and none was started: run it without GATEHOUSE_TEST_SERVERS=none.');
}

/** The URL of a Redis cluster of one node that owns every slot, which refuses scripts and commands across slots. */
export function testRedisClusterUrl(): string {
  const url = process.env.GATEHOUSE_TEST_REDIS_CLUSTER_URL;
  if (url) return url;
  throw new Error(
    'This test needs a Redis cluster, and none was started: install redis-server, or set REDIS_CLUSTER_URL.',
  );
}

/** A new, unique key prefix, `test:…:`, so that tests that share a server don't affect each other. */
export function uniquePrefix(): string {
  return `test:${randomBytes(8).toString('hex')}:`;
}
