import { readDatabaseUrl, readRedisUrl } from '../lib/connection-urls.ts';
import type { SettingTable } from './setting.ts';
import { connectionUrl } from './uris.ts';
import { boolean, integer, matching, oneOf, passwordReference, path } from './values.ts';

const busName =
  /^eventbridge:(?:arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[A-Za-z0-9._/-]{1,256}$/;

function eventsSink() {
  return matching(
    'stdout, none, or eventbridge: with the name or the ARN of an event bus',
    new RegExp(`^(?:stdout|none)$|${busName.source}`),
  );
}

/** Settings about where state, events and secrets are stored. */
export const storeSettings = {
  databaseUrl: {
    name: 'GATEHOUSE_DATABASE_URL',
    description:
      'The Postgres database, or where its URL is. `gatehouse serve` needs one. Behind a reference, a rotated user name and password need no restart, and another host does.',
    schema: connectionUrl('postgres://user:password@host:5432/name', readDatabaseUrl),
    secret: true,
    example: 'postgres://gatehouse@db.example.com:5432/gatehouse',
  },
  databasePassword: {
    name: 'GATEHOUSE_DATABASE_PASSWORD',
    description:
      "Where the database password is; used instead of the URL's, and read again for new connections, so a rotated password needs no restart. `secretsmanager:NAME` alone may hold user name and password in the form of RDS. `rds-iam:` makes an IAM token for each new connection.",
    schema: passwordReference('rds'),
    reference: true,
    example: 'file:/run/secrets/database-password',
  },
  databasePoolMax: {
    name: 'GATEHOUSE_DATABASE_POOL_MAX',
    description:
      "The maximum number of database connections per process. Multiplied by the number of processes it must stay below the server's limit.",
    schema: integer(1, 1000),
    default: '10',
  },
  redisUrl: {
    name: 'GATEHOUSE_REDIS_URL',
    description:
      'Redis, or where its URL is, for what is kept for a short time. Without it everything is in Postgres.',
    schema: connectionUrl('rediss://user:password@host:6379', readRedisUrl),
    secret: true,
    example: 'rediss://cache.example.com:6379',
  },
  redisPassword: {
    name: 'GATEHOUSE_REDIS_PASSWORD',
    description:
      "Where the Redis password is; used instead of the URL's, and read again when connecting. `secretsmanager:NAME` alone may hold `username` and `password` as JSON. `elasticache-iam:` with the name of the cache makes IAM tokens.",
    schema: passwordReference('elasticache'),
    reference: true,
    example: 'file:/run/secrets/redis-password',
  },
  redisCaFile: {
    name: 'GATEHOUSE_REDIS_CA_FILE',
    description:
      'A PEM file with the certificate authorities that Redis may use with TLS, instead of those that Node knows. ElastiCache needs none. For Postgres, `sslrootcert` in the URL names such a file.',
    schema: path(),
    example: '/etc/ssl/redis-ca.pem',
  },
  redisCluster: {
    name: 'GATEHOUSE_REDIS_CLUSTER',
    description: 'Whether the URL belongs to a Redis Cluster (ElastiCache: the configuration endpoint).',
    schema: boolean(),
    default: 'false',
  },
  redisKeyPrefix: {
    name: 'GATEHOUSE_REDIS_KEY_PREFIX',
    description: 'The prefix of every Redis key, so that several programs can share one Redis.',
    // A Redis cluster would interpret braces as a hash tag.
    schema: matching('1 to 64 letters, digits or : _ . -', /^[A-Za-z0-9:_.-]{1,64}$/),
    default: 'gatehouse:',
  },
  refreshTokenStore: {
    name: 'GATEHOUSE_REFRESH_TOKEN_STORE',
    description: 'Where refresh tokens are kept. `postgres` loses none when Redis fails over.',
    schema: oneOf('redis', 'postgres'),
    default: {
      text: '`redis` with a Redis URL, else `postgres`',
      from: ({ redisUrl }) => (redisUrl === undefined ? 'postgres' : 'redis'),
    },
  },
  dataFolder: {
    name: 'GATEHOUSE_DATA_FOLDER',
    description: 'Where `gatehouse dev` keeps its database and keys. One process at a time.',
    schema: path(),
    default: '.gatehouse',
  },
  eventsSink: {
    name: 'GATEHOUSE_EVENTS_SINK',
    description:
      'Where events such as `user.login` are published: `stdout` writes a JSON line each beside the log, `eventbridge:` with the name or the ARN of a bus sends them to EventBridge, `none` drops them. Events hold email addresses and client addresses: keep the log as you would keep those.',
    schema: eventsSink(),
    default: 'stdout',
    example: 'eventbridge:gatehouse',
  },
  jobs: {
    name: 'GATEHOUSE_JOBS',
    description:
      'Which processes publish events and delete expired rows; one of them does it at a time. `serve`: every server takes part, also beside workers. `worker`: only `gatehouse worker`, so run at least one.',
    schema: oneOf('serve', 'worker'),
    default: 'serve',
  },
} satisfies SettingTable;
