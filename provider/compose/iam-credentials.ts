import { readDatabaseUrl, readRedisUrl } from '../lib/connection-urls.ts';
import type { Credential } from '../lib/credentials.ts';
import { ConfigurationError } from '../lib/errors.ts';
import {
  databaseTokenProblems,
  readIamTokenReference,
  redisTokenProblems,
} from '../lib/iam-token-reference.ts';

/** Makes IAM tokens: `IamTokens` in `adapters/aws`. */
export interface TokenSource {
  forDatabase(database: { host: string; port: number; user: string }): Promise<string>;
  forCache(cache: { name: string; serverless: boolean; user: string }): Promise<string>;
}

function refuseProblems(setting: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems.map((problem) => `${setting} ${problem}.`));
}

/**
 * Gives an IAM token for each new connection to Postgres. Undefined when the password setting asks for no tokens.
 *
 * @throws ConfigurationError when the URL does not fit IAM tokens
 */
export function databaseTokens(url: string, password: string | undefined, tokens: TokenSource) {
  const read = readDatabaseUrl(url);
  if (readIamTokenReference(password)?.service !== 'rds' || !read.ok) return undefined;
  refuseProblems('GATEHOUSE_DATABASE_URL', databaseTokenProblems(read.value));
  const { host, port, user = '' } = read.value;
  const current = async (): Promise<Credential> => ({
    password: await tokens.forDatabase({ host, port, user }),
  });
  return { current };
}

/** ElastiCache ends a connection 12 hours after it authenticated, and accepts a token for 15 minutes. */
const tokenExpiry = { renewMs: 4 * 60_000, authenticateMs: 3 * 3_600_000 };

/**
 * Gives IAM tokens for Redis. Undefined when the password setting asks for no tokens.
 *
 * @throws ConfigurationError when the URL does not fit IAM tokens
 */
export function redisTokens(url: string, password: string | undefined, tokens: TokenSource) {
  const token = readIamTokenReference(password);
  const read = readRedisUrl(url);
  if (token?.service !== 'elasticache' || !read.ok) return undefined;
  refuseProblems('GATEHOUSE_REDIS_URL', redisTokenProblems(read.value));
  const { username: user = '' } = read.value;
  const cache = { name: token.cache, serverless: token.serverless, user };
  const current = async (): Promise<Credential> => ({ user, password: await tokens.forCache(cache) });
  return { current, candidates: async () => [await current()], expiry: tokenExpiry };
}
