import type { BucketRule } from '../ports/limits.ts';
import { anonymousRecord } from '../ports/oidc-store.ts';
import { leftovers } from './leftovers.ts';
import type { Limit } from './request-rules.ts';
import {
  type Action,
  type By,
  buckets,
  countedHere,
  knownBrowserCounts,
  knownBrowserSeconds,
  knownSeconds,
  passwordTries,
} from './rules.ts';

const intro = `# Limits

A request that comes too often is refused with 429 and \`Retry-After\`. The error is \`too_many_requests\` at the JSON API
and \`temporarily_unavailable\` at the endpoints of the protocol. Pages show a sentence. The server never holds a connection open to
slow a caller down. A refusal says the same whether the account exists or not, and a try that comes too early doesn't make the wait
longer. This page is generated from the table in \`provider/rate-limits/rules.ts\`.

Counts are kept in Redis, or in Postgres without Redis. Their names are keyed hashes, so the store contains no addresses or
accounts. Counts expire. While the store is unreachable, each process counts for itself (\`gatehouse_limits_local\`).

For IPv4, the limits by address count one address, and the limits by network count a /24. For IPv6, a /64 counts as the address and a
/48 as the network, because one household has a whole /64. \`GATEHOUSE_TRUSTED_PROXIES\` decides where the address comes from: **behind
a load balancer that isn't listed there, all people share one address**. If the server of an app calls \`/auth/login\` or
\`/auth/register\` for its users, list that server there too, and let it send the address of each user.

If many people share one address, or for a load test, \`GATEHOUSE_LIMITS_PERCENT\` makes the limits by address, by network, by session and in
total larger.
`;

const hashing = `## Hashes at the same time

Hashing a password takes a whole core, so at most \`GATEHOUSE_HASHING_CONCURRENCY\` run at the same time in a process, and at most
\`GATEHOUSE_HASHING_QUEUE\` wait. Networks take turns, however many hashes each of them waits for. When the queue is full, the network
with the most waiting hashes gives a place to one with fewer; that request is refused with 503. One account uses at most half of the
running and half of the waiting hashes; beyond that the answer is 429. If three or more can run at the same time, one network does not use
the last one.

A wrong password is answered at the next full second after the request, not counting the time in the queue. If a stored hash costs
more than 0.8 seconds (an estimate for a slow server, from the parameters of the hash), the steps are 2, 4 or 8 seconds long for an hour
after its last check.`;

const names: Record<Action, string> = {
  'sign-in': 'Signing in',
  newcomer: 'Signing in from a new place',
  'second-factor': 'Second factors',
  'sign-up': 'Signing up',
  recover: 'Recovering an account',
  authorize: 'Authorization requests',
  page: 'Sign-in pages',
  pushed: 'Pushed requests',
  'device-page': 'Pages for devices',
  'device-code': 'New device codes',
  register: 'Registrations',
  'client-metadata': 'Client metadata',
  step: 'Steps of a sign-in',
  logout: 'Signing out',
  account: 'The account page',
  'change-address': 'Changing the email address',
  token: 'Token requests',
  refresh: '`/auth/refresh`',
  introspect: 'Introspection',
  userinfo: 'Userinfo',
  client: 'Client secrets',
  'user-code': 'Device codes',
  device: 'Polls of devices',
  mail: 'Mails',
};

/** The page `docs/limits.md`, generated from the table of rules. */
export function renderLimitsMarkdown(): string {
  const all = Object.entries(buckets) as [Action, Partial<Record<By, Limit<BucketRule>>>][];
  const rows = all.flatMap(([action, limits]) =>
    Object.values(limits).map(
      ({ burst, perSeconds, counts, why }) =>
        `| ${names[action]} | ${counts} | ${number(burst)} | ${span(perSeconds)} | ${why} |`,
    ),
  );
  return [
    intro,
    '## Tries at a password',
    '',
    renderTries(),
    '',
    hashing,
    '',
    '## Everything else',
    '',
    'Each limit allows a number of requests or tries at once. They become available again evenly, all of them within the time in the table. A right password, and a',
    'sign-in that tried no password, do not count. For requests (not for passwords) each process allows',
    `${countedHere * 100} % on its own; only requests beyond that are counted by all processes together.`,
    '',
    '| limit | what counts | at once | available again in | why |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...renderLeftovers(),
  ].join('\n');
}

/** What anonymous requests leave in the stores. The numbers are checked by `test/flows/anonymous-floods.test.ts`. */
function renderLeftovers(): string[] {
  const rows = leftovers.map(
    ({ request, records, seconds, mostBytes: { redis, postgres }, limit }) =>
      `| ${request} | ${records} | ${span(seconds)} | ${number(redis)} | ${number(postgres)} | ${names[limit]} |`,
  );
  return [
    '## What anonymous requests store',
    '',
    'Anybody may send these requests. Nobody has signed in for them, and no client has proved itself by a secret or key. Each row is one request. The sizes are',
    'those of all its records together, as Redis (`MEMORY USAGE`) and Postgres (`pg_column_size`) report them, with the longest parameters that are accepted. A usual',
    'request has a third of that. Redis deletes a record up to a minute after its end, because clocks differ, and Postgres at the next sweep, within five minutes.',
    '',
    '| request | stores | for | bytes in Redis, at most | bytes in Postgres, at most | limit |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
    `The parameters of an authorization request, a pushed one and a logout have at most ${number(anonymousRecord.mostParameterBytes)} bytes together, those of a request for a device code`,
    `${number(anonymousRecord.mostDeviceParameterBytes)}. They are counted as JSON in UTF-8, with their names, without the client’s credentials. A longer request gets the status 413 and an error that names the`,
    'longest parameter. An app that needs more in `state` keeps it in its own session, under a short random `state`.',
    '',
    'All other requests without a sign-in store only counters: a logout without a session, a made-up code or token, an unknown page. A counter has about 200 bytes.',
    'It lasts until it has no effect any more: for most limits at most ten minutes, for limits on passwords up to a day. Where `GATEHOUSE_SIGNUP` is on, a sign-up',
    'stores an account. With `GATEHOUSE_CLIENT_ID_METADATA_HOSTS`, a request may make Gatehouse store the metadata document of an allowed host: at most 8 KB, for one or',
    'two days. With `GATEHOUSE_REGISTRATION=open`, a registration stores at most 5 KB for a day, and longer once a person used it.',
    '',
    'After a person has signed in, the rest of the request, such as the consent page, lives for `GATEHOUSE_INTERACTION_SECONDS`.',
    '',
  ];
}

function renderTries(): string {
  const { freeTries, firstWaitSeconds, longestWaitSeconds, forgetFreeSeconds, forgetSeconds, counts, why } =
    passwordTries;
  return [
    `This limit counts ${counts}, at every way to sign in and at a change of password. ${freeTries} tries are free. Then the next try has to wait`,
    `${span(firstWaitSeconds)}, and each later try waits twice as long as the one before, up to ${span(longestWaitSeconds)}. Tries are forgotten ${span(forgetFreeSeconds)} after the`,
    `last one, or ${span(forgetSeconds)} after it once waits have begun, and at once when the password is right. ${why}`,
    '',
    `An account that signed in from an address is known there for ${span(knownSeconds)}. An account that signed in on our pages is known in that browser,`,
    `by a signed cookie, for ${span(knownBrowserSeconds)}. Where an account is known, the limits below that it shares with others don't apply. Wrong passwords in`,
    `a known browser are counted for the account and that browser, instead of the account and the address. All known browsers of an account share ${knownBrowserCounts}`,
    'counts, so many browsers do not give many tries. No address and no browser is known any more after the account gets a new password, is',
    'disabled, or is signed out everywhere.',
  ].join('\n');
}

const number = (value: number) => value.toLocaleString('en');

function span(seconds: number): string {
  for (const [size, name] of [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const)
    if (seconds % size === 0) return `${seconds / size} ${name}${seconds === size ? '' : 's'}`;
  return `${seconds} second${seconds === 1 ? '' : 's'}`;
}
