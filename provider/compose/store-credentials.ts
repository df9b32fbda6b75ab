import { readDatabaseUrl, readRedisUrl } from '../lib/connection-urls.ts';
import { type Credential, readCredential } from '../lib/credentials.ts';
import { ConfigurationError } from '../lib/errors.ts';
import {
  databaseTokenProblems,
  readIamTokenReference,
  redisTokenProblems,
} from '../lib/iam-token-reference.ts';
import type { Secrets } from '../ports/secrets.ts';

/** Makes IAM tokens: `IamTokens` in `adapters/aws`. */
export interface TokenSource {
  forDatabase(database: { host: string; port: number; user: string }): Promise<string>;
  forCache(cache: { name: string; serverless: boolean; user: string }): Promise<string>;
}

interface Sources {
  secrets: Secrets;
  tokens: TokenSource;
}

/** The credential behind a reference. It is read again each time it is needed, so a rotated one is found. */
function stored(secrets: Secrets, reference: string) {
  return {
    current: async (): Promise<Credential> => readCredential(reference, await secrets.resolve(reference)),
    candidates: async () =>
      (await secrets.candidates(reference)).map((text) => readCredential(reference, text)),
  };
}

function refuseProblems(setting: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems.map((problem) => `${setting} ${problem}.`));
}

/**
 * The credentials for Postgres: a stored one, or an IAM token for each new connection.
 *
 * @throws ConfigurationError when the URL does not fit IAM tokens
 */
export function databaseCredentials(url: string, reference: string | undefined, sources: Sources) {
  if (reference === undefined) return undefined;
  if (readIamTokenReference(reference) === undefined) return stored(sources.secrets, reference);
  const read = readDatabaseUrl(url);
  refuseProblems('GATEHOUSE_DATABASE_URL', read.ok ? databaseTokenProblems(read.value) : read.problems);
  if (!read.ok) return undefined;
  const { host, port, user = '' } = read.value;
  const current = async (): Promise<Credential> => ({
    password: await sources.tokens.forDatabase({ host, port, user }),
  });
  return { current };
}

/** ElastiCache ends a connection 12 hours after it authenticated, and accepts a token for 15 minutes. */
const tokenExpiry = { renewMs: 4 * 60_000, authenticateMs: 3 * 3_600_000 };

/**
 * The credentials for Redis: a stored one, or IAM tokens.
 *
 * @throws ConfigurationError when the URL does not fit IAM tokens
 */
export function redisCredentials(url: string, reference: string | undefined, { secrets, tokens }: Sources) {
  if (reference === undefined) return undefined;
  const token = readIamTokenReference(reference);
  if (token?.service !== 'elasticache') return stored(secrets, reference);
  const read = readRedisUrl(url);
  refuseProblems('GATEHOUSE_REDIS_URL', read.ok ? redisTokenProblems(read.value) : read.problems);
  const user = (read.ok && read.value.username) || '';
  const cache = { name: token.cache, serverless: token.serverless, user };
  const current = async (): Promise<Credential> => ({ user, password: await tokens.forCache(cache) });
  return { current, candidates: async () => [await current()], expiry: tokenExpiry };
}
