import type { BucketRule, TriesRule } from '../ports/limits.ts';

/**
 * What is limited: `newcomer` is a sign-in at an account whose own tries are used up, `page` an authorization request that
 * leads to a page, `client` the check of a client's secret.
 */
export type Action =
  | 'sign-in'
  | 'newcomer'
  | 'sign-up'
  | 'page'
  | 'authorize'
  | 'token'
  | 'refresh'
  | 'client'
  | 'user-code'
  | 'device';

/** By what it is counted. A pair is an account, or a client, together with an address. */
export type By = 'address' | 'network' | 'account' | 'pair' | 'all';

export type Limit<Rule> = Rule & {
  /** What counts against it. */
  counts: string;
  /** Why there is one, and why it is as large as it is. */
  why: string;
};

const hour = 3600;
const day = 24 * hour;

/** Tries at a password, for an account from one address. */
export const passwordTries: Limit<TriesRule> = {
  freeTries: 10,
  firstWaitSeconds: 1,
  longestWaitSeconds: 900,
  forgetFreeSeconds: hour,
  forgetSeconds: day,
  counts: 'wrong passwords for an account from an address',
  why: 'Ten are more than somebody needs who mistypes, and nothing to who guesses; at the longest wait about a hundred a day are left. Only this pair is locked out: whoever guesses from elsewhere can’t keep the person from signing in.',
};

/** How long a pair that signed in is known: limits that others share with it don't hold it up. */
export const knownSeconds = 30 * day;

/** How long a browser is known in which an account signed in. */
export const knownBrowserSeconds = 180 * day;

/** Everything else: so many at once, which come back evenly. */
export const buckets = {
  'sign-in': {
    account: {
      burst: 100,
      perSeconds: hour,
      counts: 'wrong passwords for an account, from all addresses and browsers it isn’t known from',
      why: 'Guesses that come from a thousand addresses. Who signed in from their address or in their browser isn’t counted here and isn’t held up, and for others there are the next two rows: the account is never locked out as a whole.',
    },
    address: {
      burst: 300,
      perSeconds: hour,
      counts: 'wrong passwords from an address, for accounts it isn’t known for',
      why: 'One common password tried on many accounts. An office behind one address mistypes less than this, and who signed in from there before isn’t held up.',
    },
    network: {
      burst: 1000,
      perSeconds: hour,
      counts: 'the same, from a network',
      why: 'Who has one address often has its neighbours. Larger than for an address, since providers put many households behind one network.',
    },
  },
  newcomer: {
    network: {
      burst: 2,
      perSeconds: hour,
      counts: 'wrong passwords for an account from a network, when those of the first row are used up',
      why: 'So that guesses from everywhere keep nobody out who is somewhere new: their network has not failed yet, and has two tries, one for a slip.',
    },
    account: {
      burst: 400,
      perSeconds: hour,
      counts: 'the same, for an account, from all networks',
      why: 'What is left to a crowd: with the first row five hundred guesses an hour at one account, not two for each network there is. To use it up and keep a newcomer out takes two hundred networks, each hour anew.',
    },
  },
  'sign-up': {
    address: {
      burst: 60,
      perSeconds: hour,
      counts: 'sign-ups from an address',
      why: 'Each writes an account and costs a hash. A class of pupils that signs up at once gets through.',
    },
    network: {
      burst: 240,
      perSeconds: hour,
      counts: 'sign-ups from a network',
      why: 'As for sign-in.',
    },
  },
  authorize: {
    address: {
      burst: 600,
      perSeconds: 60,
      counts: 'authorization requests, and requests for `/device`, from an address',
      why: 'Anybody may send them. Ten a second are a large office whose apps look for a session now and then.',
    },
    network: {
      burst: 3000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for sign-in.',
    },
  },
  page: {
    address: {
      burst: 120,
      perSeconds: 60,
      counts: 'authorization requests that lead to a page (signing in, consent), from an address',
      why: 'Each is kept for `GATEHOUSE_INTERACTION_SECONDS`. A person opens a few a minute; two a second are an office whose people all begin at nine.',
    },
    network: {
      burst: 600,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As for sign-in.',
    },
    all: {
      burst: 10_000,
      perSeconds: 600,
      counts: 'the same, from everywhere',
      why: 'So that a flood from many networks can’t fill the store: with an hour to finish, at most 70,000 are kept (and a tenth of that for each process), some 85 MB, or ten times that when each request is as long as one may be. It is enough for a million sign-ins a day; who expects more sets `GATEHOUSE_LIMITS_PERCENT`. Answered with 503, since whoever meets it did nothing too often; who is signed in already doesn’t.',
    },
  },
  token: {
    address: {
      burst: 6000,
      perSeconds: 60,
      counts:
        'requests to `/oauth2/token`, `/oauth2/par`, `/oauth2/device`, `/oauth2/revoke` and `/auth/logout` from an address',
      why: 'Nothing can be guessed here, so this only keeps one caller from taking all of a server. An app’s own server redeems for all its people from one address: a hundred a second are enough for a hundred thousand of them.',
    },
    network: {
      burst: 24_000,
      perSeconds: 60,
      counts: 'the same, from a network',
      why: 'As above, for servers that stand side by side.',
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
  client: {
    pair: {
      burst: 60,
      perSeconds: 600,
      counts: 'wrong secrets for a client from an address',
      why: 'Against guessing at a secret that a person made up. No growing wait: a server that was given the new secret late is back within ten seconds.',
    },
  },
  'user-code': {
    address: {
      burst: 30,
      perSeconds: hour,
      counts: 'codes entered at `/device`, from an address, that nobody was given',
      why: 'A code has 34 bits and is good for ten minutes: at thirty an hour nobody guesses one. Who mistypes needs a few.',
    },
    network: {
      burst: 120,
      perSeconds: hour,
      counts: 'the same, from a network',
      why: 'As for sign-in.',
    },
  },
  device: {
    pair: {
      burst: 2,
      perSeconds: 10,
      counts: 'questions of a device whether somebody let it in',
      why: 'RFC 8628 has a device ask every five seconds. It isn’t refused with 429: it is told `slow_down`.',
    },
  },
} satisfies Record<Action, Partial<Record<By, Limit<BucketRule>>>>;

/**
 * Of what anybody may ask a process lets this part through by itself, without asking the store: what is beyond it is counted
 * by all together. So who asks rarely, which is nearly everybody, costs nothing.
 */
export const countedHere = 0.1;

/** The rule for one who isn't told from others by anything but where they are: in percent, for those who know better. */
export const scaled = ({ burst, perSeconds }: BucketRule, percent: number): BucketRule => ({
  burst: Math.max(1, Math.round((burst * percent) / 100)),
  perSeconds,
});
