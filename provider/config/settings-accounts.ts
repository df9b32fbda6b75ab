import { availableParallelism } from 'node:os';
import { hostPatterns } from './addresses.ts';
import type { SettingTable } from './setting.ts';
import { domainName, hostOf, isDomain, issuer } from './uris.ts';
import { boolean, integer, matching, oneOf, path, value } from './values.ts';

/**
 * `graceDays` is how long an account may sign in before its address is proved; 0 for not at all. It is undefined if no
 * proof is needed.
 */
export interface SignupVerification {
  graceDays: number | undefined;
}

function readVerification(text: string): SignupVerification | undefined {
  if (text === 'off') return { graceDays: undefined };
  if (text === 'first') return { graceDays: 0 };
  const days = /^[1-9]\d?d$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  return days <= 90 ? { graceDays: days } : undefined;
}

/** Settings about clients, accounts and sign-in, and about how long sign-ins last. */
export const accountSettings = {
  clientsFile: {
    name: 'GATEHOUSE_CLIENTS_FILE',
    description: 'A YAML file with client documents, or a folder of such files. Read again when it changes.',
    schema: path(),
    example: '/etc/gatehouse/clients.yaml',
  },
  defaultClient: {
    name: 'GATEHOUSE_DEFAULT_CLIENT',
    description: 'The client that `/auth/*` acts for when a request names none: a public first-party one.',
    schema: matching('a client id', /^[\x21-\x7e]{1,255}$/),
    example: 'web-app',
  },
  clientIdMetadataHosts: {
    name: 'GATEHOUSE_CLIENT_ID_METADATA_HOSTS',
    description:
      'The hosts whose apps may use the URL of a metadata document as their client id, as MCP clients do (OAuth Client ID Metadata Document). Gatehouse fetches the document from there. Name only hosts where you trust everybody who can publish a file. See [`clients.md`](clients.md#clients-that-register-themselves).',
    schema: hostPatterns(),
    default: { text: 'none', from: () => '' },
    example: 'claude.ai, *.apps.example.com',
  },
  registration: {
    name: 'GATEHOUSE_REGISTRATION',
    description:
      'Whether apps may register themselves at `/oauth2/register` (RFC 7591): `off`, with an `initial-access-token` that `gatehouse clients registration-token` prints, or `open` for everybody. For older MCP clients; newer ones use GATEHOUSE_CLIENT_ID_METADATA_HOSTS. With `off`, clients that are registered already keep working.',
    schema: oneOf('off', 'initial-access-token', 'open'),
    default: 'off',
  },
  registrationPkce: {
    name: 'GATEHOUSE_REGISTRATION_PKCE',
    description:
      'Whether apps with a secret or a key that registered themselves at `/oauth2/register` must use PKCE: `required`, or `optional` for libraries that register but send none. Apps without a secret or a key must use it in any case (RFC 9700 §2.1.1).',
    schema: oneOf('required', 'optional'),
    default: 'required',
  },
  selfRegisteredScopes: {
    name: 'GATEHOUSE_SELF_REGISTERED_SCOPES',
    description:
      'The scopes that clients which registered themselves may ask for, separated by spaces: those of OpenID Connect, and of APIs in GATEHOUSE_APIS_FILE. People still have to agree.',
    schema: value('scopes separated by spaces', (text) => {
      const names = text.split(/\s+/).filter((name) => name !== '');
      return names.length > 0 && names.every((name) => /^[\x21\x23-\x5B\x5D-\x7E]{1,200}$/.test(name))
        ? names
        : undefined;
    }),
    default: 'openid profile email offline_access',
    example: 'openid offline_access mcp:tools',
  },
  deviceFlow: {
    name: 'GATEHOUSE_DEVICE_FLOW',
    description:
      'Whether apps on devices without a browser, such as televisions and command lines, may have people sign in on another device (RFC 8628): `/oauth2/device`, and `/device` for people. Only clients whose document lists the grant `device_code` may.',
    schema: boolean(),
    default: 'false',
  },
  requestObjects: {
    name: 'GATEHOUSE_REQUEST_OBJECTS',
    description:
      'Whether clients may send an authorization request as a JWT that they signed (RFC 9101, `request`). Only clients with `auth: private_key_jwt` may, because they have keys. Unsigned request objects are always refused.',
    schema: boolean(),
    default: 'false',
  },
  signup: {
    name: 'GATEHOUSE_SIGNUP',
    description: 'Whether people may create accounts themselves.',
    schema: boolean(),
    default: 'false',
  },
  signupRoles: {
    name: 'GATEHOUSE_SIGNUP_ROLES',
    description:
      'The roles of accounts that people create themselves, separated by spaces. GATEHOUSE_APIS_FILE defines them. Without a role, an account has no permission, so its tokens have no scope of an API.',
    schema: value('role names separated by spaces', (text) => {
      const names = text.split(/\s+/).filter((name) => name !== '');
      return names.every((name) => /^[A-Za-z][\w:.-]{0,99}$/.test(name)) ? names : undefined;
    }),
    example: 'CLIENT',
  },
  signupVerification: {
    name: 'GATEHOUSE_SIGNUP_VERIFICATION',
    description:
      'Whether people who create an account must prove that the address is theirs, with a link or a code that they get by mail: `off`; `first`, before they first sign in; or a number of days like `7d`, for which they may sign in without. It needs GATEHOUSE_MAIL. Accounts that exist already, or that an administrator makes, are not affected. See [`sign-up.md`](sign-up.md).',
    schema: value('off, first, or a number of days from 1d to 90d', readVerification),
    default: 'off',
    example: 'first',
  },
  sessionIdleSeconds: {
    name: 'GATEHOUSE_SESSION_IDLE_SECONDS',
    description: 'A browser session ends when it is not used for this long. Default: 3 days.',
    schema: integer(300, 30 * 86_400),
    default: '259200',
  },
  sessionAbsoluteSeconds: {
    name: 'GATEHOUSE_SESSION_ABSOLUTE_SECONDS',
    description: 'A browser session ends this long after signing in, used or not. Default: 14 days.',
    schema: integer(300, 90 * 86_400),
    default: '1209600',
  },
  rememberMe: {
    name: 'GATEHOUSE_REMEMBER_ME',
    description:
      'Whether a sign-in outlives the browser window: `ask` puts a box on the sign-in page (not ticked), `always` and `never` decide for all accounts.',
    schema: oneOf('ask', 'always', 'never'),
    default: 'ask',
  },
  unrememberedSessionSeconds: {
    name: 'GATEHOUSE_UNREMEMBERED_SESSION_SECONDS',
    description:
      'A session that is not remembered ends this long after signing in. Its cookie ends with the browser, but browsers that bring back their tabs bring it back too. Default: 12 hours.',
    schema: integer(300, 90 * 86_400),
    default: '43200',
  },
  interactionSeconds: {
    name: 'GATEHOUSE_INTERACTION_SECONDS',
    description:
      'How long a person who has signed in may take for each page that follows, such as the consent page. For the sign-in itself a person has ten minutes, or this time if it is shorter: nobody has proved anything before, and the request is stored.',
    schema: integer(60, 86_400),
    default: '3600',
  },
  secondFactor: {
    name: 'GATEHOUSE_SECOND_FACTOR',
    description:
      'Second factors: `optional` lets people add an authenticator app to their account, `required` makes everybody add one at the next sign-in, `off` lets only those add one who need it for a role or a client. An account that has one always needs its code. See [`second-factors.md`](second-factors.md).',
    schema: oneOf('off', 'optional', 'required'),
    default: 'optional',
  },
  secondFactorRoles: {
    name: 'GATEHOUSE_SECOND_FACTOR_ROLES',
    description:
      'Roles, separated by spaces, whose accounts need a second factor. GATEHOUSE_APIS_FILE defines them. A client document may say `requireSecondFactor` too.',
    schema: value('role names separated by spaces', (text) => {
      const names = text.split(/\s+/).filter((name) => name !== '');
      return names.every((name) => /^[A-Za-z][\w:.-]{0,99}$/.test(name)) ? names : undefined;
    }),
    example: 'ADMIN',
  },
  passkeys: {
    name: 'GATEHOUSE_PASSKEYS',
    description:
      'Whether people can add passkeys and sign in with them. A passkey replaces the password at a sign-in, or is the second factor after it. `off` keeps the passkeys that exist and does not ask for them. See [`passkeys.md`](passkeys.md).',
    schema: oneOf('on', 'off'),
    default: {
      text: '`on`; `off` if the issuer has an IP address, because passkeys need a domain name',
      from: ({ issuer }) => issuer && (isDomain(hostOf(issuer)) ? 'on' : 'off'),
    },
  },
  passkeyRpId: {
    name: 'GATEHOUSE_PASSKEY_RP_ID',
    description:
      'The domain that passkeys are good for (WebAuthn RP ID): the host of the issuer, or a domain above it, so that passkeys work on several of its hosts. After a change, no passkey that exists works any more. Decide before people add the first one.',
    schema: matching('a domain name in lower case', domainName),
    default: {
      text: 'the host of the issuer',
      from: ({ issuer }) => issuer && (isDomain(hostOf(issuer)) ? hostOf(issuer) : 'localhost'),
    },
    example: 'example.com',
  },
  secondFactorRemovalHours: {
    name: 'GATEHOUSE_SECOND_FACTOR_REMOVAL_HOURS',
    description:
      'The waiting time after which a person who lost every second factor can sign in with the password alone, which removes them: [`second-factors.md`](second-factors.md#a-lost-phone). The person asks for it on the page for the code and gets a mail at once, so it needs `GATEHOUSE_MAIL`. 0 switches this off.',
    schema: integer(0, 720),
    default: '0',
    example: '72',
  },
  trustedDeviceDays: {
    name: 'GATEHOUSE_TRUSTED_DEVICE_DAYS',
    description:
      'For how many days a person may trust a browser, which then asks for no code at sign-in: [`second-factors.md`](second-factors.md#trusted-browsers). 0 for never.',
    schema: integer(0, 90),
    default: '0',
  },
  passwordMinLength: {
    name: 'GATEHOUSE_PASSWORD_MIN_LENGTH',
    description:
      'The length that a new password has at least, in characters. NIST SP 800-63B-4 asks for 15 where the password is the only factor. Passwords that exist stay valid until they are changed.',
    schema: integer(8, 64),
    default: '15',
  },
  passwordMinLengthWithSecondFactor: {
    name: 'GATEHOUSE_PASSWORD_MIN_LENGTH_WITH_SECOND_FACTOR',
    description:
      'The same for an account that has a second factor, or that must add one by `GATEHOUSE_SECOND_FACTOR` or `GATEHOUSE_SECOND_FACTOR_ROLES`. NIST SP 800-63B-4 asks for 8. The smaller of the two settings counts.',
    schema: integer(8, 64),
    default: '8',
  },
  passwordBlocklist: {
    name: 'GATEHOUSE_PASSWORD_BLOCKLIST',
    description:
      'A file with known passwords that new ones are compared with, in addition to the packaged dictionary. `gatehouse passwords blocklist build` makes it from a breach list: [`passwords.md`](passwords.md).',
    schema: path(),
    example: '/etc/gatehouse/passwords.filter',
  },
  passwordBreachService: {
    name: 'GATEHOUSE_PASSWORD_BREACH_SERVICE',
    description:
      'The URL of a service with the API of Pwned Passwords, that new passwords are compared with. It gets the first five digits of the SHA-1 digest of a password, never the password. If it does not answer within half a second, the password is accepted and a warning is logged.',
    schema: issuer(),
    example: 'https://api.pwnedpasswords.com',
  },
  argon2MemoryKib: {
    name: 'GATEHOUSE_ARGON2_MEMORY_KIB',
    description:
      'Memory for hashing one password, in KiB. A hash with other parameters is renewed at the next login.',
    schema: integer(7168, 262_144),
    default: '19456',
  },
  argon2Passes: {
    name: 'GATEHOUSE_ARGON2_PASSES',
    description: 'Passes over that memory. With less memory more passes are needed.',
    schema: integer(1, 20),
    default: '2',
  },
  argon2Parallelism: {
    name: 'GATEHOUSE_ARGON2_PARALLELISM',
    description: 'Lanes of one hash.',
    schema: integer(1, 16),
    default: '1',
  },
  hashingConcurrency: {
    name: 'GATEHOUSE_HASHING_CONCURRENCY',
    description:
      'How many passwords a process hashes at once; each takes a core and its memory. Keep it below `UV_THREADPOOL_SIZE` (4 unless set): reading files and resolving host names share those threads.',
    schema: integer(1, 256),
    default: {
      text: 'the number of cores, at most 3',
      from: () => String(Math.min(3, availableParallelism())),
    },
  },
  hashingQueue: {
    name: 'GATEHOUSE_HASHING_QUEUE',
    description: 'How many more may wait. Beyond that people are asked to try again in a moment (503).',
    schema: integer(0, 100_000),
    default: '100',
  },
} satisfies SettingTable;
