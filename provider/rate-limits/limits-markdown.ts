import type { BucketRule } from '../ports/limits.ts';
import {
  type Action,
  type By,
  buckets,
  countedHere,
  knownBrowserSeconds,
  knownSeconds,
  type Limit,
  passwordTries,
} from './rules.ts';

const intro = `# Limits

What is tried too often is refused with 429 and \`Retry-After\`: \`too_many_requests\` at the JSON API, \`temporarily_unavailable\` at
the protocol's endpoints, words on the page. Nothing is ever held open, a refusal says the same whether there is such an account or
not, and trying again too early makes no wait longer. This page is generated from the table in \`provider/rate-limits/rules.ts\`.

Counts are kept in Redis, in Postgres without it, under keyed hashes: neither addresses nor accounts can be read there. They go by
themselves. While the store is away each process counts for itself (\`gatehouse_limits_local\`).

An IPv4 address counts by itself, and its /24 as the network. Of IPv6 the /64 counts as the address and the /48 as the network: a
household has a whole /64. Where the address comes from is up to \`GATEHOUSE_TRUSTED_PROXIES\`: **behind a load balancer that isn't
listed there everybody shares one address**. An app whose own server calls \`/auth/login\` or \`/auth/register\` for its people has to be listed there, too,
and to send on each person's address.

Many people behind one address, or a load test: \`GATEHOUSE_LIMITS_PERCENT\` makes limits by address, by network and from everywhere larger.
`;

const names: Record<Action, string> = {
  'sign-in': 'Signing in',
  newcomer: 'Signing in from elsewhere',
  'sign-up': 'Signing up',
  authorize: 'Authorization requests',
  page: 'Pages to sign in',
  token: 'Token requests',
  refresh: '`/auth/refresh`',
  client: 'Secrets of clients',
  'user-code': 'Codes of devices',
  device: 'Devices that wait',
};

/** The page about limits, for who runs the server; made from the table. */
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
    '## Everything else',
    '',
    'So many at once; what was used comes back evenly, all of it in the time named. A right password and a sign-in that came to nothing give',
    `back what they took. Of requests (not of passwords) each process lets ${countedHere * 100} % through by itself, and what is beyond that is counted together.`,
    '',
    '| what | what counts | at once | comes back in | why |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function renderTries(): string {
  const { freeTries, firstWaitSeconds, longestWaitSeconds, forgetFreeSeconds, forgetSeconds, counts, why } =
    passwordTries;
  return [
    `Counted: ${counts}, at every way to sign in and at a change of password. ${freeTries} are free; then the next one has to wait ${span(firstWaitSeconds)},`,
    `and each one after that twice as long as the one before, up to ${span(longestWaitSeconds)}. They are forgotten ${span(forgetFreeSeconds)} after the last`,
    `one, or ${span(forgetSeconds)} once waits have begun, and at once when the password was right. ${why}`,
    '',
    `Who signed in from an address is known there for ${span(knownSeconds)}, and who signed in on our pages is known in that browser, by a signed cookie, for`,
    `${span(knownBrowserSeconds)}: the limits that they share with others, below, don't hold them up. Wrong passwords in a known browser are counted for the account and`,
    'that browser, as above, instead of the address.',
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
