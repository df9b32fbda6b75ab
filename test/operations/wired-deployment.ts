import { createTestDatabase } from '../support/databases.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { testRedisUrl } from '../support/redis.ts';
import { openWireLog, postgresReader, redisReader, type WireLog } from './wire-log.ts';

/** One process, and what it asks of its stores. */
export interface Wired {
  deployment: Deployment;
  /** For requests only, by store and by what it is about: `redis family`. */
  asked(): readonly string[];
  /** As `performance.now` counts. */
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

/** Events are delivered, revocations copied, clients' numbers read and limits' rows removed beside requests, however many there are. */
const beside =
  /\bdue as materialized\b|\bset published_at\b|\bfrom revocations\s+where expires_at\b|\bfrom client_generations\b/;

function nameOfStatement(sql: string): string | undefined {
  if (beside.test(sql)) return undefined;
  const { table } = /\b(from|into|update)\s+(?<table>\w+)/i.exec(sql)?.groups ?? {};
  return `postgres ${table ?? sql.replace(/;.*/s, '').toLowerCase()}`;
}

/** A key is a prefix, what it is about in braces, and a part. */
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
