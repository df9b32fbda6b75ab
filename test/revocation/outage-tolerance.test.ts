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

test('while it can be known, what is known is told', async () => {
  const { statusOf } = create(60);
  expect([await statusOf(yes), await statusOf(no)]).toEqual(['active', 'revoked']);
  expect(log).toEqual([]);
});

test('by default nobody is let in while it cannot be known', async () => {
  const { statusOf } = create(0);
  await statusOf(yes);
  for (const _ of [1, 2]) await expect(statusOf(fails)).rejects.toBe(away);
  expect(await statusOf(yes)).toBe('active');
  expect(log).toEqual([]);
});

test('an outage is tolerated for as long as was set, counted from the last answer; each change is told once', async () => {
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

test('from when it is known nobody waits for the store', async () => {
  const { statusOf } = create(60);
  await statusOf(yes);
  await statusOf(fails);
  const never = () => new Promise<boolean>(() => {});
  expect(await statusOf(never)).toBe('unchecked');
});

test('a process that never knew anything refuses', async () => {
  const { statusOf } = create(300);
  await expect(statusOf(fails)).rejects.toBe(away);
  expect(log).toEqual([]);
});

test('a store that answers others meanwhile is not away, however much it has to do', async () => {
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

test('what fails in another way is no outage', async () => {
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

  test('keep a quiet process knowing, and find out when the store is back', async () => {
    const { statusOf } = start(60);
    expect(probes).toBe(1);
    await waitFor(() => statusOf(fails).then((answer) => answer === 'unchecked'));
    expect(await statusOf(no)).toBe('unchecked');
    await waitFor(() => log.includes(toldAgain));
    expect(await statusOf(no)).toBe('revoked');
  });

  test('that fail begin an outage themselves', async () => {
    const { statusOf } = start(60);
    await waitFor(() => statusOf(yes).then((answer) => answer === 'active'));
    probeFails = true;
    clock.advance(6_000);
    await waitFor(() => log.includes(toldYes));
    expect(await statusOf(yes)).toBe('unchecked');
  });

  test('are not made where nothing is tolerated', () => {
    start(0);
    expect(probes).toBe(0);
  });
});
