import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createOutageTolerance, type OutageTolerance } from '../../provider/revocation/outage-tolerance.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

const away = new StoreUnavailable('postgres', undefined);
const toldYes = 'warn: verify: outage tolerated, accepting tokens unchecked';
const toldNoMore = 'warn: verify: outage tolerance expired, answering 503';
const toldAgain = 'info: verify: revocations are checked again';

let clock: ManualClock;
let log: string[];
let probes: number;
let probeFails: boolean;
const started: OutageTolerance[] = [];
beforeEach(() => {
  clock = createManualClock();
  log = [];
  probes = 0;
  probeFails = false;
});
afterEach(() => {
  for (const one of started.splice(0)) one.stop();
});

const create = (toleratedSeconds: number) =>
  createOutageTolerance({
    probe: async () => {
      probes += 1;
      if (probeFails) throw away;
    },
    clock,
    toleratedSeconds,
    logger: {
      info: (_, message) => void log.push(`info: ${message}`),
      warn: (_, message) => void log.push(`warn: ${message}`),
    },
  });
const yes = async () => true;
const no = async () => false;
const fails = () => Promise.reject(away);

test('the status is exact while the store can be read', async () => {
  const { statusOf } = create(60);
  expect([await statusOf(yes), await statusOf(no)]).toEqual(['active', 'revoked']);
  expect(log).toEqual([]);
});

test('by default no token is accepted while the store cannot be read', async () => {
  const { statusOf } = create(0);
  await statusOf(yes);
  for (const _ of [1, 2]) await expect(statusOf(fails)).rejects.toBe(away);
  expect(await statusOf(yes)).toBe('active');
  expect(log).toEqual([]);
});

test('when the clock was set back, the last answer may be of any age: nothing is tolerated', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  clock.advance(-3_600_000);
  await expect(statusOf(fails)).rejects.toBe(away);
  await statusOf(yes);
  expect(await statusOf(fails)).toBe('unchecked');
  clock.advance(-3_600_000);
  await expect(statusOf(fails)).rejects.toBe(away);
});

test('an outage is tolerated for the configured time from the last answer; each change is logged once', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  clock.advance(20_000);
  expect(await statusOf(fails)).toBe('unchecked');
  clock.advance(40_000);
  expect(await statusOf(fails)).toBe('unchecked');
  expect(log).toEqual([toldYes]);
  clock.advance(1);
  for (const _ of [1, 2]) await expect(statusOf(fails)).rejects.toBe(away);
  expect(log).toEqual([toldYes, toldNoMore]);
  expect(await statusOf(no)).toBe('revoked');
  expect(log).toEqual([toldYes, toldNoMore, toldAgain]);
  expect(await statusOf(fails)).toBe('unchecked');
});

test('requests do not wait for the store after the outage is known', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  await statusOf(fails);
  const never = () => new Promise<boolean>(() => {});
  expect(await statusOf(never)).toBe('unchecked');
});

test('a process that has never reached the store refuses', async () => {
  const { statusOf } = create(300);
  await expect(statusOf(fails)).rejects.toBe(away);
  expect(log).toEqual([]);
});

test('a store that answers other requests at the same time is not away, even if it is slow', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  const slow = statusOf(async () => {
    await statusOf(yes);
    throw away;
  });
  await expect(slow).rejects.toBe(away);
  expect(await statusOf(no)).toBe('revoked');
  expect(log).toEqual([]);
});

test('another error does not count as an outage', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  const broken = new Error('a mistake of ours');
  await expect(statusOf(() => Promise.reject(broken))).rejects.toBe(broken);
  expect(await statusOf(no)).toBe('revoked');
});

describe('probes', () => {
  const start = (seconds: number) => {
    const one = create(seconds);
    started.push(one);
    one.start();
    return one;
  };

  test('keep the status exact without requests, and notice when the store is back', async () => {
    const { statusOf } = start(60);
    expect(probes).toBe(1);
    await waitFor(() => statusOf(fails).then((answer) => answer === 'unchecked'));
    expect(await statusOf(no)).toBe('unchecked');
    await waitFor(() => log.includes(toldAgain));
    expect(await statusOf(no)).toBe('revoked');
  });

  test('that fail start an outage', async () => {
    const { statusOf } = start(60);
    await waitFor(() => statusOf(yes).then((answer) => answer === 'active'));
    probeFails = true;
    clock.advance(6_000);
    await waitFor(() => log.includes(toldYes));
    expect(await statusOf(yes)).toBe('unchecked');
  });

  test('are not sent if no outage is tolerated', () => {
    start(0);
    expect(probes).toBe(0);
  });
});
