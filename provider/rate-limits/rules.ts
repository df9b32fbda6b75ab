import type { BucketRule, TriesRule } from '../ports/limits.ts';

/**
 * What is limited. `newcomer` is a sign-in to an account whose own tries are used up, `page` is an authorization request that
 * leads to a page, `pushed` is a pushed authorization request of a public client, `device-page` is a page where people enter
 * a device's code, `device-code` is a request of a public client for such a code, `step` is a page or form of a sign-in that
 * has begun, `client` is the check of a client's secret.
 */
export type Action =
  | 'sign-in'
  | 'newcomer'
  | 'sign-up'
  | 'page'
  | 'pushed'
  | 'device-page'
  | 'device-code'
  | 'authorize'
  | 'step'
  | 'logout'
  | 'account'
  | 'token'
  | 'refresh'
  | 'introspect'
  | 'userinfo'
  | 'client'
  | 'user-code'
  | 'device';

/** The actions that are counted when a request for them is about to be stored. */
export type LimitedRecord = Extract<Action, 'page' | 'pushed' | 'device-code'>;

/** The actions that count by where a request comes from: at its route, or before it is stored. */
export type LimitedRequest =
  | LimitedRecord
  | Extract<
      Action,
      | 'authorize'
      | 'step'
      | 'device-page'
      | 'logout'
      | 'account'
      | 'token'
      | 'refresh'
      | 'introspect'
      | 'userinfo'
    >;

/** What it is counted by. A pair is an account, or a client, together with an address. A session is that of a browser. */
export type By = 'address' | 'network' | 'account' | 'session' | 'pair' | 'all';

export type Limit<Rule> = Rule & {
  /** What counts against the limit, for `docs/limits.md`. */
  counts: string;
  /** Why the limit exists, and why it has this size, for `docs/limits.md`. */
  why: string;
};

const hour = 3600;
const day = 24 * hour;

/** Tries at the password of an account, from one address. */
export const passwordTries: Limit<TriesRule> = {
  freeTries: 10,
  firstWaitSeconds: 1,
  longestWaitSeconds: 900,
  forgetFreeSeconds: hour,
  forgetSeconds: day,
  counts: 'wrong passwords for an account from an address',
  why: 'Ten tries are more than a person who mistypes needs, and too few to guess a password. At the longest wait, about a hundred tries a day are left. Only this pair of account and address is locked out, so guesses from other addresses don’t keep the person from signing in.',
};

/** How long an address is known for an account that signed in from it: limits that it shares with others don't apply. */
export const knownSeconds = 30 * day;

/** How long a browser is known for an account that signed in there. */
export const knownBrowserSeconds = 180 * day;

/**
 * The browsers that are known for an account share so many counts of tries. A person has no more devices than that, and a
 * thief with many cookies gets no more tries.
 */
export const knownBrowserCounts = 8;

/** Everything else: `burst` at once, which come back evenly over `perSeconds`. */
export const buckets = {
  'sign-in': {
    account: {
      burst: 100,
      perSeconds: hour,
      counts: 'wrong passwords for an account, from all addresses and browsers that aren’t known for it',
      why: 'Against guesses from many addresses. A person who signed in before from this address or in this browser isn’t counted here and isn’t refused. Other people have the tries of a new place, below, so the account is never locked out as a whole.',
    },
    address: {
      burst: 300,
      perSeconds: hour,
      counts: 'wrong passwords from an address, for accounts that it isn’t known for',
      why: 'Against one common password tried on many accounts. The people of an office behind one address mistype less often than this, and a person who signed in from there before isn’t refused.',
    },
    network: {
      burst: 1000,
      perSeconds: hour,
      counts: 'the same, from a network',
      why: 'An attacker who has one address often has others in the same network. It is larger than for an address, because internet providers put many households into one network.',
    },
  },
  newcomer: {
    network: {
      burst: 2,
      perSeconds: hour,
      counts: 'wrong passwords for an account from a network, when the account’s 100 are used up',
      why: 'Guesses from many networks must not lock out a person in a new place. The network of this person has two tries of its own, one of them for a typing mistake.',
    },
    account: {
      burst: 400,
      perSeconds: hour,
      counts: 'the same, for an account, from all networks',
      why: 'Without this limit, each network in the world would have two guesses. With the account’s 100 it allows five hundred guesses an hour at one account. To use it up and lock out a person in a new place, an attacker needs two hundred networks every hour.',
    },
  },
  'sign-up': {
    address: {
      burst: 60,
      perSeconds: hour,
      counts: 'sign-ups from an address',
      why: 'Each sign-up writes an account and costs a hash. A school class that signs up at once is not refused.',
    },
    network: {
      burst: 240,
      perSeconds: hour,
      counts: 'sign-ups from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 5000,
      perSeconds: hour,
      counts: 'sign-ups from everywhere',
      why: 'A flood from many networks must not fill the database with accounts. If more people than this sign up on the day of a launch, set `GATEHOUSE_LIMITS_PERCENT`. The answer is 503.',
    },
  },
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
        'requests to `/oauth2/token`, `/oauth2/par`, `/oauth2/device`, `/oauth2/revoke` and `/auth/logout` from an address',
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
      counts: 'requests to `/oauth2/userinfo` and `/user/profile` from an address',
      why: 'As at the token endpoint.',
    },
    network: {
      burst: 24_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As at the token endpoint.',
    },
  },
  client: {
    pair: {
      burst: 60,
      perSeconds: 600,
      counts: 'wrong secrets for a client from an address',
      why: 'Against guesses at a secret that a person invented. The wait doesn’t grow: a server that gets its new secret late works again within ten seconds.',
    },
  },
  'user-code': {
    address: {
      burst: 30,
      perSeconds: hour,
      counts: 'unknown codes entered at `/device`, from an address',
      why: 'A code has 34 bits and is valid for ten minutes: at thirty tries an hour it can’t be guessed. A person who mistypes needs a few tries.',
    },
    network: {
      burst: 120,
      perSeconds: hour,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
  },
  device: {
    pair: {
      burst: 2,
      perSeconds: 10,
      counts: 'polls of a device that waits for approval',
      why: 'RFC 8628 lets a device poll every five seconds. The answer is `slow_down`, not 429.',
    },
  },
} satisfies Record<Action, Partial<Record<By, Limit<BucketRule>>>>;

/**
 * The share of a limit by address, network and in total that each process allows on its own, without a call of the store.
 * Only requests beyond it are counted by all processes together. So a caller with few requests, which is nearly every caller,
 * costs no call of the store.
 */
export const countedHere = 0.1;

/** What a request stores before anybody has proved anything. `test/flows/anonymous-floods.test.ts` measures it. */
export interface Leftover {
  id: 'page' | 'pushed' | 'pushed-dpop' | 'device-code' | 'device-page';
  /** The request, for `docs/limits.md`. */
  request: string;
  /** The records that it stores. */
  records: string;
  /** How long they are valid. */
  seconds: number;
  /** The size of all its records together when the parameters have the longest length that is accepted. */
  mostBytes: { redis: number; postgres: number };
  /** The action whose limits apply. */
  limit: Action;
}

export const leftovers: readonly Leftover[] = [
  {
    id: 'page',
    request: 'an authorization request that leads to the sign-in page',
    records: 'the request',
    seconds: 600,
    mostBytes: { redis: 4096, postgres: 4096 },
    limit: 'page',
  },
  {
    id: 'pushed',
    request: 'a pushed authorization request of a public client',
    records: 'the request',
    seconds: 60,
    mostBytes: { redis: 4096, postgres: 4096 },
    limit: 'pushed',
  },
  {
    id: 'pushed-dpop',
    request: 'the same with a DPoP proof (RFC 9449)',
    records: 'the request, and for ten minutes that the proof was used',
    seconds: 600,
    mostBytes: { redis: 4096, postgres: 4096 },
    limit: 'pushed',
  },
  {
    id: 'device-code',
    request: 'a request of a public client for a device code',
    records: 'the code and the code to type',
    seconds: 600,
    mostBytes: { redis: 4096, postgres: 4096 },
    limit: 'device-code',
  },
  {
    id: 'device-page',
    request: 'the page `/device` in a browser without a session',
    records: 'a session without an account',
    seconds: 600,
    mostBytes: { redis: 1024, postgres: 1024 },
    limit: 'device-page',
  },
];
