import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { Deployment } from '../support/deployment.ts';
import { testRedisUrl } from '../support/redis.ts';

/** Everything that a deployment has stored, as a thief of a copy reads it: a text for each row and each Redis key. */
export async function dumpStores({ databaseUrl, redisPrefix, env }: Deployment): Promise<string[]> {
  const rows = await dumpPostgres(databaseUrl ?? '');
  return env.GATEHOUSE_REDIS_URL === undefined ? rows : [...rows, ...(await dumpRedis(redisPrefix ?? ''))];
}

async function dumpPostgres(connectionString: string): Promise<string[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const dumped: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(
        `select row_to_json(t)::text as row from ${name} t`,
      );
      dumped.push(...rows.map(({ row }) => `${name} ${row}`));
    }
    return dumped;
  } finally {
    await client.end();
  }
}

async function dumpRedis(prefix: string): Promise<string[]> {
  const redis = new Redis(testRedisUrl());
  try {
    const keys: string[] = [];
    for await (const found of redis.scanStream({ match: `${prefix}*`, count: 500 })) keys.push(...found);
    return await Promise.all(
      keys.map(async (key) => `${key} ${JSON.stringify(await contentOf(redis, key))}`),
    );
  } finally {
    redis.disconnect();
  }
}

async function contentOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'none':
      return undefined;
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'list':
      return redis.lrange(key, 0, -1);
    default:
      throw new Error(`${key} is a ${type}, which this can't read yet`);
  }
}
