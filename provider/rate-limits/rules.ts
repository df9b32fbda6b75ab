import type { BucketRule, TriesRule } from '../ports/limits.ts';
import { type Limit, type LimitedRequest, requestBuckets } from './request-rules.ts';

/**
 * What is limited. `newcomer` is a sign-in to an account whose own tries are used up, `client` is the check of a
 * client's secret.
 */
export type Action =
  | LimitedRequest
  | 'sign-in'
  | 'newcomer'
  | 'second-factor'
  | 'sign-up'
  | 'recover'
  | 'client'
  | 'user-code'
  | 'device'
  | 'change-address'
  | 'mail';

/**
 * What it is counted by. A pair is an account, or a client, together with an address. A session is that of a browser. A recipient
 * is the address that a mail goes to.
 */
export type By = 'address' | 'network' | 'account' | 'session' | 'pair' | 'recipient' | 'all';

const hour = 3600;
const day = 24 * hour;

/** Tries at the password of an account, from one address. */
export const passwordTries: Limit<TriesRule> = {
  freeTries: 10,
  firstWaitSeconds: 1,
  longestWaitSeconds: 900,
  forgetFreeSeconds: hour,
  forgetSeconds: day,
  counts: 'wrong passwords and wrong codes for an account from an address, counted together',
  why: 'Ten tries are more than a person who mistypes needs, and too few to guess a password. At the longest wait, about a hundred tries a day are left. Only this pair of account and address is locked out, so guesses from other addresses don’t keep the person from signing in.',
};

/** The first code after a right password belongs to the try of that password. A challenge is never valid for longer. */
export const secondStepTurn: BucketRule = { burst: 1, perSeconds: 600 };

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
  'second-factor': {
    account: {
      burst: 20,
      perSeconds: day,
      counts:
        'wrong codes of an authenticator app for an account, after the right password, from addresses and browsers that aren’t known for it',
      why: 'Against an attacker who knows the password, has many addresses, and is patient. Without this limit, five hundred codes an hour could be tried, and a code has only six digits. Recovery codes aren’t counted here, so the person always has a way in.',
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
  recover: {
    address: {
      burst: 30,
      perSeconds: hour,
      counts: 'requests for a mail to recover an account, from an address',
      why: 'Each request for a known address causes a mail. A person asks once or twice.',
    },
    network: {
      burst: 120,
      perSeconds: hour,
      counts: 'the same, from a network',
      why: 'As for signing in.',
    },
    all: {
      burst: 5000,
      perSeconds: hour,
      counts: 'the same, from everywhere',
      why: 'A flood from many networks must not use up the quota of the mail server. The answer is 503.',
    },
    pair: {
      burst: 3,
      perSeconds: hour,
      counts: 'requests for a mail to recover an account, for an email address from a network',
      why: 'Each mail ends the link of the one before, so a stranger could make the links of a person useless. The answer is the same as always, and no mail is sent.',
    },
    recipient: {
      burst: 10,
      perSeconds: day,
      counts: 'the same, for an email address from everywhere',
      why: 'Against floods of mails from many networks. It is half of what an address gets in total, so other mails still arrive. The answer is the same as always, and no mail is sent.',
    },
  },
  ...requestBuckets,
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
  'change-address': {
    account: {
      burst: 5,
      perSeconds: day,
      counts: 'changes of the email address that an account asks for',
      why: 'Each one sends two mails, one of them to an address that the person typed. A person who mistypes needs two or three.',
    },
  },
  mail: {
    recipient: {
      burst: 20,
      perSeconds: day,
      counts: 'mails to one address',
      why: 'An attacker could sign up with the address of another person and cause mails there. Further mails are dropped, with a line in the log. A person who changes the password several times a day still gets all of them.',
    },
    all: {
      burst: 20_000,
      perSeconds: hour,
      counts: 'mails to everybody',
      why: 'A flood must not use up the quota of the mail server or its good name. Further mails wait, and are sent when the limit allows.',
    },
  },
} satisfies Record<Action, Partial<Record<By, Limit<BucketRule>>>>;

/**
 * The share of a limit by address, network and in total that each process allows on its own, without a call of the store.
 * Only requests beyond it are counted by all processes together. So a caller with few requests, which is nearly every caller,
 * costs no call of the store.
 */
export const countedHere = 0.1;
