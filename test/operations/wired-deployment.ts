import { createTestDatabase } from '../support/databases.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { testRedisUrl } from '../support/redis.ts';
import { openWireLog, postgresReader, redisReader, type WireLog } from './wire-log.ts';

/** One process with recorded round trips to its stores. */
export interface Wired {
  deployment: Deployment;
  /** The round trips of requests only, by store and subject: `redis family`. */
  asked(): readonly string[];
  /** The time as in `performance.now`. */
  lastAskedAt(): number;
  stop(): Promise<void>;
}

export async function startOnWires(): Promise<Wired> {
  const database = await createTestDatabase();
  const asked: string[] = [];
  let lastAskedAt = performance.now();
  const note = (name: string | undefined) => {
    lastAskedAt = performance.now();
    if (name !== undefined) asked.push(name);
  };
  const postgres = await openWireLog(database.url, () => postgresReader((sql) => note(nameOfStatement(sql))));
  const redis = await openWireLog(testRedisUrl(), () => redisReader((words) => note(nameOfCommand(words))));
  const close = async () => {
    for (const wire of [postgres, redis]) await wire.close();
    await database.drop();
  };
  const env = {
    GATEHOUSE_DATABASE_URL: through(database.url, postgres),
    GATEHOUSE_REDIS_URL: through(testRedisUrl(), redis),
  };
  const deployment = await startServers({ processes: 1, env }).catch(async (error) => {
    await close();
    throw error;
  });
  const stop = async () => {
    await deployment.stop();
    await close();
  };
  return { deployment, asked: () => asked, lastAskedAt: () => lastAskedAt, stop };
}

const through = (url: string, { port }: WireLog) =>
  Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href;

/** Background work, which doesn't depend on requests: events, copied revocations, client token versions, expired limits. */
const beside =
  /\bdue as materialized\b|\bset published_at\b|\bfrom revocations\s+where expires_at\b|\bfrom client_generations\b/;

function nameOfStatement(sql: string): string | undefined {
  if (beside.test(sql)) return undefined;
  const { table } = /\b(from|into|update)\s+(?<table>\w+)/i.exec(sql)?.groups ?? {};
  return `postgres ${table ?? sql.replace(/;.*/s, '').toLowerCase()}`;
}

/** A key has a prefix, its subject in braces, and a part. */
function nameOfCommand(words: string[]): string | undefined {
  const key = words.find((word) => /\{.+\}:\w+/.test(word)) ?? '';
  const { about = words[0] ?? '', part = '' } = /\{(?<about>.+)\}:(?<part>\w+)/.exec(key)?.groups ?? {};
  if (about === 'denylist' && words[0] !== 'zmscore') return undefined;
  if (about.startsWith('fam_')) return 'redis family';
  if (about.startsWith('account:')) return 'redis sign-ins';
  if (part === 'l') return 'redis limits';
  const { kind = about } = /^(?<kind>\w+):/.exec(about)?.groups ?? {};
  const { indexed } = /^(?<indexed>\w+)#/.exec(about)?.groups ?? {};
  return `redis ${indexed === undefined ? kind : `${indexed} index`}`;
}
