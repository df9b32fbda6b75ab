import type { SettingTable } from './setting.ts';
import { audience } from './uris.ts';
import { integer, keyStoreReference, path, reference } from './values.ts';

const day = 86_400;

/** The upper bound of GATEHOUSE_ACCESS_TOKEN_SECONDS. */
export const longestAccessTokenSeconds = 3600;

/** The upper bound of GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS, in seconds. */
export const longestRefreshTokenSeconds = 90 * day;

/** Settings about tokens: audience, lifetimes and signing keys. */
export const tokenSettings = {
  audience: {
    name: 'GATEHOUSE_AUDIENCE',
    description:
      'The audience of the default API. `/auth/verify` requires it when a gateway names no audience. Without `GATEHOUSE_APIS_FILE` it is the only API.',
    schema: audience(),
    default: {
      text: '`<GATEHOUSE_ISSUER>/api`',
      from: ({ issuer }) => (issuer === undefined ? undefined : `${issuer}/api`),
    },
    example: 'https://api.example.com',
  },
  apisFile: {
    name: 'GATEHOUSE_APIS_FILE',
    description:
      'A YAML file with the APIs, their scopes, the permissions of each role, and the claims that come from the metadata of accounts. Without it there is the default API alone, without scopes.',
    schema: path(),
    example: '/etc/gatehouse/apis.yaml',
  },
  keys: {
    name: 'GATEHOUSE_KEYS',
    description:
      'Where the signing keys are kept: a file, the value of a secret in AWS Secrets Manager, or Postgres. The first start creates the keys. All processes must use the same store. See [`keys.md`](keys.md).',
    schema: keyStoreReference(),
    reference: true,
    example: 'file:/var/lib/gatehouse/keys.json',
  },
  keysSecret: {
    name: 'GATEHOUSE_KEYS_SECRET',
    description:
      'Where the secret is that encrypts the signing keys in Postgres; for `GATEHOUSE_KEYS=postgres:` only. Made like GATEHOUSE_SERVER_SECRETS. To replace it, put the new secret in front, run `gatehouse keys rotate`, and then drop the old one.',
    schema: reference('file', 'env', 'secretsmanager'),
    reference: true,
    example: 'file:/run/secrets/keys-secret',
  },
  keyLeadSeconds: {
    name: 'GATEHOUSE_KEY_LEAD_SECONDS',
    description:
      'How long a key is published before it signs. API Gateway caches keys for up to two hours: with less than 7200 it refuses tokens after a rotation.',
    schema: integer(1, 30 * day),
    default: '10800',
  },
  keysRotateDays: {
    name: 'GATEHOUSE_KEYS_ROTATE_DAYS',
    description:
      'The age of the newest key, in days, at which the process that does the jobs (`gatehouse worker`, or `serve` with GATEHOUSE_JOBS=serve) adds the next key. 0: keys are rotated by `gatehouse keys rotate` only. That process needs the right to write the keys.',
    schema: integer(0, 365),
    default: '0',
  },
  keysPollSeconds: {
    name: 'GATEHOUSE_KEYS_POLL_SECONDS',
    description:
      'How soon each process finds changed keys, at most. The interval varies a little, so that processes do not check at the same time.',
    schema: integer(1, day),
    default: '60',
  },
  serverSecrets: {
    name: 'GATEHOUSE_SERVER_SECRETS',
    description:
      'Where the secrets are that protect cookies, sessions and refresh tokens: one or more, each of at least 32 random characters, separated by white space or commas. One that repeats itself or has few different characters is refused. The first is used, the others are still accepted. They are read again while the process runs: `docs/secrets.md` says in which order to replace one. All processes need the same.',
    schema: reference('file', 'env', 'secretsmanager'),
    reference: true,
    example: 'file:/run/secrets/server-secrets',
  },
  accessTokenSeconds: {
    name: 'GATEHOUSE_ACCESS_TOKEN_SECONDS',
    description: "Life of an access token. API Gateway doesn't see revocations: keep it short.",
    schema: integer(60, longestAccessTokenSeconds),
    default: '900',
  },
  idTokenSeconds: {
    name: 'GATEHOUSE_ID_TOKEN_SECONDS',
    description: 'Life of an id token.',
    schema: integer(60, day),
    default: '3600',
  },
  verifyWithoutDenylistSeconds: {
    name: 'GATEHOUSE_VERIFY_WITHOUT_DENYLIST_SECONDS',
    description:
      'How long `/auth/verify` accepts tokens while the stores of revocations and accounts are unreachable, counted from their last response. It then checks only signature, times, audience and scopes. With 0 it answers 503 at once. No other endpoint uses this setting.',
    schema: integer(0, 300),
    default: '0',
  },
  codeSeconds: {
    name: 'GATEHOUSE_CODE_SECONDS',
    description: 'Life of an authorization code (RFC 6749 §4.1.2: ten minutes at most).',
    schema: integer(10, 600),
    default: '60',
  },
  graceSeconds: {
    name: 'GATEHOUSE_GRACE_SECONDS',
    description:
      'How long a used refresh token still gets the same response again, because responses get lost and tabs refresh at the same time. An authorization code that is used twice within this time revokes nothing. After this time, reuse of either revokes all tokens of that sign-in.',
    schema: integer(0, 60),
    default: '10',
  },
  refreshTokenIdleDays: {
    name: 'GATEHOUSE_REFRESH_TOKEN_IDLE_DAYS',
    description: 'A refresh token expires when it is not used for this many days.',
    schema: integer(7, 30),
    default: '30',
  },
  refreshTokenAbsoluteDays: {
    name: 'GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS',
    description:
      'This many days after signing in, the person must sign in again, however often the token was used.',
    schema: integer(7, longestRefreshTokenSeconds / day),
    default: '90',
  },
} satisfies SettingTable;
