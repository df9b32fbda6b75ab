import type { SettingTable } from './setting.ts';
import { audience } from './uris.ts';
import { integer, path, reference } from './values.ts';

const day = 86_400;

/** No access token lives longer, whatever is set. */
export const longestAccessTokenSeconds = 3600;

/** So long after signing in no refresh token lives any more, whatever is set. */
export const longestRefreshTokenSeconds = 90 * day;

/** What is issued, for whom and for how long, and what it is signed with. */
export const tokenSettings = {
  audience: {
    name: 'GATEHOUSE_AUDIENCE',
    description:
      'The default API: the `aud` of access tokens when neither the request nor the client names another.',
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
      'A YAML file with the APIs, their scopes, and the permissions of each role. Without it there is the default API alone, without scopes.',
    schema: path(),
    example: '/etc/gatehouse/apis.yaml',
  },
  keys: {
    name: 'GATEHOUSE_KEYS',
    description:
      'Where the signing keys are kept. A first start makes them. All processes must share the place.',
    schema: reference('file'),
    reference: true,
    example: 'file:/var/lib/gatehouse/keys.json',
  },
  keyLeadSeconds: {
    name: 'GATEHOUSE_KEY_LEAD_SECONDS',
    description:
      'How long a key is published before it signs. API Gateway caches keys for up to two hours: with less than 7200 a rotation gets tokens refused there.',
    schema: integer(1, 30 * day),
    default: '10800',
  },
  keysPollSeconds: {
    name: 'GATEHOUSE_KEYS_POLL_SECONDS',
    description: 'How often each process looks for changed keys, give or take some.',
    schema: integer(1, day),
    default: '60',
  },
  serverSecrets: {
    name: 'GATEHOUSE_SERVER_SECRETS',
    description:
      'Where the secrets are that protect cookies, sessions and refresh tokens: one or more, each of at least 32 random characters, separated by white space or commas. The first is used, the others are still accepted: to replace one, put the new one in front and drop the old one after GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS. All processes need the same.',
    schema: reference('file', 'env'),
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
      'How long `/auth/verify` goes on letting tokens in, by signature, times, audience and scopes alone, while the stores that know of revocations and accounts are away; counted from when they last answered. 0 answers 503. It holds for nothing else.',
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
      'How long after its use a refresh token that comes again gets the same answer, since answers are lost and tabs refresh at once; and an authorization code that comes again ends nothing. Later either ends everything issued from that sign-in.',
    schema: integer(0, 60),
    default: '10',
  },
  refreshTokenIdleDays: {
    name: 'GATEHOUSE_REFRESH_TOKEN_IDLE_DAYS',
    description: 'A refresh token that is not used for so many days is dead.',
    schema: integer(7, 30),
    default: '30',
  },
  refreshTokenAbsoluteDays: {
    name: 'GATEHOUSE_REFRESH_TOKEN_ABSOLUTE_DAYS',
    description:
      'So many days after signing in the person must sign in again, however often the token was used.',
    schema: integer(7, longestRefreshTokenSeconds / day),
    default: '90',
  },
} satisfies SettingTable;
