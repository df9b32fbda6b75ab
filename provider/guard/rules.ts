import type { BucketRule, TriesRule } from '../ports/limits.ts';

/** What is limited: `client` is the check of a client's secret. */
export type Action =
  | 'sign-in'
  | 'sign-up'
  | 'authorize'
  | 'token'
  | 'refresh'
  | 'client'
  | 'user-code'
  | 'device';

/** By what it is counted. A pair is an account, or a client, together with an address. */
export type By = 'address' | 'network' | 'account' | 'pair';

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
  ...{ freeTries: 10, firstWaitSeconds: 1, longestWaitSeconds: 900 },
  ...{ forgetFreeSeconds: hour, forgetSeconds: day },
  counts: 'wrong passwords for an account from an address',
  why: 'Ten are more than somebody needs who mistypes, and nothing to who guesses; at the longest wait about a hundred a day are left. Only this pair is locked out: whoever guesses from elsewhere can’t keep the person from signing in.',
};

/** How long a pair that signed in is known: limits that others share with it don't hold it up. */
export const knownSeconds = 30 * day;

/** Everything else: so many at once, which come back evenly. */
export const buckets = {
  'sign-in': {
    account: {
      ...{ burst: 100, perSeconds: hour },
      counts: 'wrong passwords for an account, from all addresses it isn’t known from',
      why: 'Guesses that come from a thousand addresses. Who signed in from their address within 30 days isn’t counted here and isn’t held up: the account is never locked out as a whole.',
    },
    address: {
      ...{ burst: 300, perSeconds: hour },
      counts: 'wrong passwords from an address, for accounts it isn’t known for',
      why: 'One common password tried on many accounts. An office behind one address mistypes less than this, and who signed in from there before isn’t held up.',
    },
    network: {
      ...{ burst: 1000, perSeconds: hour },
      counts: 'the same, from a network',
      why: 'Who has one address often has its neighbours. Larger than for an address, since providers put many households behind one network.',
    },
  },
  'sign-up': {
    address: {
      ...{ burst: 60, perSeconds: hour },
      counts: 'sign-ups from an address',
      why: 'Each writes an account and costs a hash. A class of pupils that signs up at once gets through.',
    },
    network: {
      ...{ burst: 240, perSeconds: hour },
      counts: 'sign-ups from a network',
      why: 'As for sign-in.',
    },
  },
  authorize: {
    address: {
      ...{ burst: 600, perSeconds: 60 },
      counts: 'authorization requests, and requests for `/device`, from an address',
      why: 'Anybody may send them, and each that leads to the sign-in page is kept for an hour. Ten a second are a large office whose apps look for a session now and then.',
    },
    network: {
      ...{ burst: 3000, perSeconds: 60 },
      counts: 'the same, from a network',
      why: 'As for sign-in.',
    },
  },
  token: {
    address: {
      ...{ burst: 6000, perSeconds: 60 },
      counts: 'requests to `/oauth2/token`, `/oauth2/par` and `/oauth2/device` from an address',
      why: 'Nothing can be guessed here, so this only keeps one caller from taking all of a server. An app’s own server redeems for all its people from one address: a hundred a second are enough for a hundred thousand of them.',
    },
    network: {
      ...{ burst: 24_000, perSeconds: 60 },
      counts: 'the same, from a network',
      why: 'As above, for servers that stand side by side.',
    },
  },
  refresh: {
    address: {
      ...{ burst: 6000, perSeconds: 60 },
      counts: 'requests to `/auth/refresh` from an address',
      why: 'As at the token endpoint.',
    },
    network: {
      ...{ burst: 24_000, perSeconds: 60 },
      counts: 'the same, from a network',
      why: 'As at the token endpoint.',
    },
  },
  client: {
    pair: {
      ...{ burst: 60, perSeconds: 600 },
      counts: 'wrong secrets for a client from an address',
      why: 'Against guessing at a secret that a person made up. No growing wait: a server that was given the new secret late is back within ten seconds.',
    },
  },
  'user-code': {
    address: {
      ...{ burst: 30, perSeconds: hour },
      counts: 'codes entered at `/device`, from an address, that nobody was given',
      why: 'A code has 34 bits and is good for ten minutes: at thirty an hour nobody guesses one. Who mistypes needs a few.',
    },
    network: {
      ...{ burst: 120, perSeconds: hour },
      counts: 'the same, from a network',
      why: 'As for sign-in.',
    },
  },
  device: {
    pair: {
      ...{ burst: 2, perSeconds: 10 },
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
