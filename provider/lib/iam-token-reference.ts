import type { DatabaseAddress, RedisAddress } from './connection-urls.ts';

/** A setting that says: use IAM tokens of AWS as the password, instead of a stored one. */
export type IamTokenReference =
  | { service: 'rds' }
  /** The name of the replication group or the serverless cache. */
  | { service: 'elasticache'; cache: string; serverless: boolean };

export type IamTokenService = IamTokenReference['service'];

/** How the references of each service are written, for messages. */
export const iamTokenForms: Readonly<Record<IamTokenService, string>> = {
  rds: 'rds-iam:',
  elasticache: 'elasticache-iam:NAME_OF_THE_CACHE or elasticache-serverless-iam:NAME_OF_THE_CACHE',
};

/** Gives undefined for any text that is no such reference. */
export function readIamTokenReference(text: string | undefined): IamTokenReference | undefined {
  if (text === 'rds-iam:') return { service: 'rds' };
  // AWS keeps the names of caches in small letters, and refuses a token with capital letters.
  const found = /^elasticache-(?<serverless>serverless-)?iam:(?<cache>[a-z][a-z0-9-]{0,39})$/.exec(
    text ?? '',
  );
  const { serverless, cache } = found?.groups ?? {};
  return cache === undefined
    ? undefined
    : { service: 'elasticache', cache, serverless: serverless !== undefined };
}

/** Why IAM tokens can't be used with this database URL. Each problem completes the sentence "The URL …". */
export function databaseTokenProblems({ user, tls }: DatabaseAddress): string[] {
  return [
    ...(user === undefined ? ['needs the name of the database user'] : []),
    ...(tls !== false && tls.verify
      ? []
      : ['needs sslmode=verify-full and, for RDS, sslrootcert with the path of its certificate bundle']),
  ];
}

/** Why IAM tokens can't be used with this Redis URL. Each problem completes the sentence "The URL …". */
export function redisTokenProblems({ username, tls }: RedisAddress): string[] {
  return [
    ...(username === undefined ? ['needs the name of the ElastiCache user'] : []),
    ...(tls ? [] : ['must begin with rediss://']),
  ];
}
