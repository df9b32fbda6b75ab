import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { IamTokens } from '../../../adapters/aws/iam-tokens.ts';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import { ConfigurationError, StoreUnavailable } from '../../../provider/lib/errors.ts';
import { testCertificate } from '../../support/certificate.ts';
import { iamCredentials, iamRegion } from '../../support/iam-token.ts';
import { testRedisClusterUrl, testRedisUrl, uniquePrefix } from '../../support/redis.ts';
import { startElastiCacheFront } from '../../support/servers/iam-fronts.ts';
import { waitFor } from '../../support/wait-for.ts';

describe('openRedis', () => {
  test.each([
    ['not a url', 'must be a URL like rediss://'],
    ['http://user:hunter2@redis:6379', 'must be a URL like rediss://'],
    ['redis://', 'names no host'],
    ['redis://:hunter2@redis/one', 'has a path that is no database number'],
    ['redis://:hunter2%@redis', 'has a % that starts no escape'],
  ])('refuses %s, and does not repeat it in the error', async (url, problem) => {
    const opening = openRedis({ url, cluster: false });
    await expect(opening).rejects.toThrow(ConfigurationError);
    await expect(opening).rejects.toThrow(`The Redis URL ${problem}`);
    await expect(opening).rejects.not.toThrow('hunter2');
  });

  test('refuses a database number on a cluster', async () => {
    const opening = openRedis({ url: 'redis://127.0.0.1:6379/1', cluster: true });
    await expect(opening).rejects.toThrow('A Redis cluster has only database 0');
  });

  test('refuses certificate authorities for a URL without TLS', async () => {
    const opening = openRedis({ url: 'redis://127.0.0.1:6379', cluster: false, caFile: 'ca.pem' });
    await expect(opening).rejects.toThrow('does not begin with rediss://');
  });

  test.each([
    { cluster: false, url: testRedisUrl },
    { cluster: true, url: testRedisClusterUrl },
  ])(
    'puts the prefix before the hash tag, and distinguishes a refusal from an unreachable server (cluster: $cluster)',
    async (one) => {
      const keyPrefix = uniquePrefix();
      const redis = await openRedis({ url: one.url(), cluster: one.cluster, keyPrefix });
      try {
        const [a, b] = [redis.key('tag', 'a'), redis.key('tag', 'b')];
        expect(a).toBe(`${keyPrefix}{tag}:a`);
        expect(
          await redis.script('testBoth', "return redis.call('MGET', KEYS[1], KEYS[2])")([a, b], []),
        ).toEqual([null, null]);
        const refusal = redis.run((client) => client.call('HGET', a));
        await expect(refusal).rejects.toThrow('Redis refused a command: ERR wrong number of arguments');
        await expect(refusal).rejects.not.toThrow(StoreUnavailable);
      } finally {
        await redis.dependency.close();
      }
    },
  );

  test('with TLS, only the certificate authorities in the given file are trusted, and no other server gets a token', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
    const front = await startElastiCacheFront(testRedisUrl(), 'gatehouse');
    const tokens = new IamTokens({
      clock: systemClock,
      region: iamRegion,
      credentials: async () => iamCredentials,
    });
    const current = async () => ({
      password: await tokens.forCache({ name: 'gatehouse', serverless: false, user: 'app' }),
    });
    const opened: RedisConnection[] = [];
    const open = async (authority: string) => {
      const caFile = join(folder, 'ca.pem');
      await writeFile(caFile, authority);
      const told: (string | undefined)[] = [];
      const redis = await openRedis({
        url: `rediss://app@localhost:${front.port}`,
        cluster: false,
        caFile,
        credentials: { current, candidates: async () => [await current()] },
        onStateChange: ({ reason }) => told.push(reason),
      });
      opened.push(redis);
      return { dependency: redis.dependency, told };
    };
    try {
      const other = await open(testCertificate().cert);
      await waitFor(() => other.told.some((reason) => /self.signed certificate/.test(reason ?? '')));
      expect([front.accepted, front.refused]).toEqual([[], []]);
      const right = await open(front.certificate.cert);
      await right.dependency.ping();
    } finally {
      await Promise.all(opened.map(({ dependency }) => dependency.close()));
      await front.stop();
      await rm(folder, { recursive: true });
    }
  });
});
