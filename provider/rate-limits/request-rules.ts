import type { BucketRule } from '../ports/limits.ts';

export type Limit<Rule> = Rule & {
  /** What counts against the limit, for `docs/limits.md`. */
  counts: string;
  /** Why the limit exists, and why it has this size, for `docs/limits.md`. */
  why: string;
};

/**
 * Requests that are counted when they are about to be stored. `page` is an authorization request that leads to a page,
 * `pushed` a pushed authorization request of a public client, `device-code` a request of a public client for a code,
 * `client-metadata` a request that makes us fetch the metadata document of a client.
 */
export type LimitedRecord = 'page' | 'pushed' | 'device-code' | 'client-metadata';

/**
 * Requests that are counted, whether they succeed or fail. `step` is a page or form of a sign-in that has begun, `device-page` a
 * page where people enter a device's code.
 */
export type LimitedRequest =
  | LimitedRecord
  | 'authorize'
  | 'register'
  | 'step'
  | 'device-page'
  | 'logout'
  | 'account'
  | 'token'
  | 'refresh'
  | 'introspect'
  | 'userinfo';

/** The part of the table in `rules.ts` for requests that are counted, whether they succeed or fail. */
export const requestBuckets = {
  authorize: {
    address: {
      burst: 600,
      perSeconds: 60,
      counts: 'authorization requests from an address',
      why: 'Anyone can send them. Ten a second are enough for a large office whose apps check for a session now and then.',
    },
    network: {
      burst: 3000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
  },
  page: {
    address: {
      burst: 120,
      perSeconds: 60,
      counts: 'authorization requests that lead to a page (signing in, consent), from an address',
      why: 'Each request is stored for ten minutes. A person opens a few a minute; two a second are enough for an office where all people start at nine.',
    },
    network: {
      burst: 600,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 10_000,
      perSeconds: 600,
      counts: 'the same, from everywhere',
      why: 'A flood from many networks must not fill the store. At most 20,000 requests are stored (and a tenth of that for each process). It is enough for a million sign-ins a day; if you expect more, set `GATEHOUSE_LIMITS_PERCENT`. The answer is 503, because the caller did not send too many requests. People who are signed in already are not affected.',
    },
  },
  pushed: {
    address: {
      burst: 120,
      perSeconds: 60,
      counts: 'pushed authorization requests (RFC 9126) of public clients, from an address',
      why: 'Each request is stored for a minute, and anyone can send it. As for sign-in pages. A confidential client proves itself first and isn’t counted here.',
    },
    network: {
      burst: 600,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 10_000,
      perSeconds: 600,
      counts: 'the same, from everywhere',
      why: 'As for sign-in pages.',
    },
  },
  'device-page': {
    address: {
      burst: 120,
      perSeconds: 60,
      counts: 'requests for `/device` and the pages and forms below it, from an address',
      why: 'The form needs a session, which is stored for ten minutes. A person sends a few requests for each device.',
    },
    network: {
      burst: 600,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 5000,
      perSeconds: 600,
      counts: 'the same, from everywhere',
      why: 'As for sign-in pages. People let devices in less often than they sign in.',
    },
  },
  'device-code': {
    address: {
      burst: 60,
      perSeconds: 60,
      counts: 'requests of public clients for a device code (`/oauth2/device`), from an address',
      why: 'Each code is stored for ten minutes, and anyone can ask for one. One a second is enough for a building full of televisions. A confidential client proves itself first and isn’t counted here.',
    },
    network: {
      burst: 300,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 5000,
      perSeconds: 600,
      counts: 'the same, from everywhere',
      why: 'As for pages where devices are let in.',
    },
  },
  register: {
    address: {
      burst: 20,
      perSeconds: 3600,
      counts: 'registrations of clients (`/oauth2/register`), from an address',
      why: 'Each registration is stored for a day, and for 91 days after its last use. An app registers once for each installation.',
    },
    network: {
      burst: 100,
      perSeconds: 3600,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 300,
      perSeconds: 3600,
      counts: 'the same, from everywhere',
      why: 'A registration that is never used is deleted after a day. So a flood from many networks stores at most 7,500 of the 10,000 that are possible, of 5 KB each. The answer is 503.',
    },
  },
  'client-metadata': {
    network: {
      burst: 60,
      perSeconds: 3600,
      counts:
        'requests that make Gatehouse fetch the metadata document of a client (`GATEHOUSE_CLIENT_ID_METADATA_HOSTS`), or the keys of one that registered itself, from a network',
      why: 'Anyone can send them. A document is kept for all processes and asked for again after five minutes at the earliest, usually after an hour. While the limit is reached, the last good document stays in use for a day.',
    },
    all: {
      burst: 600,
      perSeconds: 3600,
      counts: 'the same, from everywhere',
      why: 'Each fetched document is stored for one or two days. So a caller who can publish many documents on an allowed host cannot fill the store, and no host gets a flood from here. The answer is 503.',
    },
  },
  step: {
    address: {
      burst: 1200,
      perSeconds: 60,
      counts: 'pages and forms of a sign-in that has begun, from an address',
      why: 'Nothing new is stored for them, but each reads the store. A sign-in takes about six of these requests, so it is ten times the limit for sign-in pages.',
    },
    network: {
      burst: 6000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
  },
  logout: {
    address: {
      burst: 600,
      perSeconds: 60,
      counts: 'requests to `/oauth2/logout` and the pages and forms below it, from an address',
      why: 'As for authorization requests. Nothing is stored for a browser where nobody is signed in, so there is no limit for requests from everywhere, with which an attacker could keep people signed in.',
    },
    network: {
      burst: 3000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
  },
  account: {
    address: {
      burst: 600,
      perSeconds: 60,
      counts: 'requests for the account page and its forms, from an address',
      why: 'Each reads the store. As for authorization requests.',
    },
    network: {
      burst: 3000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    session: {
      burst: 60,
      perSeconds: 60,
      counts: 'the same, in a browser’s session',
      why: 'A page looks up 25 sign-ins of the account, which costs more than other pages. Nobody reads more than one page a second.',
    },
  },
  token: {
    address: {
      burst: 6000,
      perSeconds: 60,
      counts:
        'requests to `/oauth2/token`, `/oauth2/par`, `/oauth2/device`, `/oauth2/revoke`, `/auth/logout`, `/auth/passkey/options`, and to `/oauth2/register/…` for a registered client, from an address',
      why: 'Nothing can be guessed here, so this only keeps one caller from using a whole server. An app’s own server redeems codes for all its users from one address: a hundred a second is enough for a hundred thousand users.',
    },
    network: {
      burst: 24_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As above, for several servers in one network.',
    },
  },
  refresh: {
    address: {
      burst: 6000,
      perSeconds: 60,
      counts: 'requests to `/auth/refresh` from an address',
      why: 'As at the token endpoint.',
    },
    network: {
      burst: 24_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As at the token endpoint.',
    },
  },
  introspect: {
    address: {
      burst: 30_000,
      perSeconds: 60,
      counts: 'requests to `/oauth2/introspect` from an address',
      why: 'An API may introspect a token at each of its requests, so it is larger than at the token endpoint: 500 a second.',
    },
    network: {
      burst: 120_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As above, for several servers in one network.',
    },
  },
  userinfo: {
    address: {
      burst: 6000,
      perSeconds: 60,
      counts: 'requests to `/oauth2/userinfo`, `/user/profile` and `/user/passkeys` from an address',
      why: 'As at the token endpoint.',
    },
    network: {
      burst: 24_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As at the token endpoint.',
    },
  },
} satisfies Record<
  LimitedRequest,
  Partial<Record<'address' | 'network' | 'session' | 'all', Limit<BucketRule>>>
>;
