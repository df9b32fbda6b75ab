import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { openRedis, type RedisConnection } from '../../../adapters/redis/connection.ts';
import { testRedisClusterUrl, testRedisUrl, uniquePrefix } from '../../support/redis.ts';
import { waitFor } from '../../support/wait-for.ts';

const streamOf = (redis: RedisConnection) => redis.run(async (client) => (client as Redis).stream);

async function withRedis(
  work: (redis: RedisConnection) => Promise<void>,
  url = testRedisUrl(),
  cluster = false,
) {
  const redis = await openRedis({ url, cluster, keyPrefix: uniquePrefix() });
  try {
    await work(redis);
  } finally {
    await redis.dependency.close();
  }
}

/** Returns the number of socket writes while `work` runs. */
async function piecesOf(stream: Redis['stream'], work: () => Promise<unknown>): Promise<number> {
  let pieces = 0;
  const handedOver = (method: '_write' | '_writev') => {
    const original = stream[method] as (...given: unknown[]) => void;
    Object.assign(stream, {
      [method]: (...given: unknown[]) => {
        pieces += 1;
        original.apply(stream, given);
      },
    });
  };
  handedOver('_write');
  handedOver('_writev');
  try {
    await work();
  } finally {
    Reflect.deleteProperty(stream, '_write');
    Reflect.deleteProperty(stream, '_writev');
  }
  return pieces;
}

const set = (redis: RedisConnection, name: string) =>
  redis.run((client) => client.set(redis.key('t', name), name));

test('commands of one turn of the event loop are sent in one write, and each gets its own reply', () =>
  withRedis(async (redis) => {
    const names = Array.from({ length: 20 }, (_, index) => `name-${index}`);
    for (const name of names) await set(redis, name);
    const stream = await streamOf(redis);
    let replies: (string | null)[] = [];
    const pieces = await piecesOf(stream, async () => {
      replies = await Promise.all(
        names.map((name) => redis.run((client) => client.get(redis.key('t', name)))),
      );
    });
    expect(replies).toEqual(names);
    expect(pieces).toBe(1);
  }));

test('no command is delayed beyond that turn', () =>
  withRedis(async (redis) => {
    const stream = await streamOf(redis);
    for (let turn = 0; turn < 3; turn += 1) {
      const asked = set(redis, 'a');
      expect(stream.writableCorked).toBe(1);
      await nextTurn();
      expect(stream.writableCorked).toBe(0);
      expect(await asked).toBe('OK');
    }
  }));

test('a new connection in the same turn collects and sends its own commands', () =>
  withRedis(async (redis) => {
    const lost = await streamOf(redis);
    await nextTurn();
    const asked = set(redis, 'a');
    lost.destroy();
    await expect(asked).rejects.toThrow();
    await waitFor(async () => (await set(redis, 'b').catch(() => undefined)) === 'OK' || undefined, {
      what: 'the new connection',
    });
    const stream = await streamOf(redis);
    expect(stream).not.toBe(lost);
    await nextTurn();
    expect(stream.writableCorked).toBe(0);
  }));

test('the writes of a cluster are not changed', () =>
  withRedis(
    async (redis) => {
      const names = ['a', 'b', 'c'];
      expect(await Promise.all(names.map((name) => set(redis, name)))).toEqual(['OK', 'OK', 'OK']);
    },
    testRedisClusterUrl(),
    true,
  ));
