import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createOutageTolerance, type OutageTolerance } from '../../provider/revocation/outage-tolerance.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

const away = new StoreUnavailable('postgres', undefined);
const toldYes = 'warn: gateways are told yes without a look at revocations';
const toldNoMore = 'warn: gateways are told yes no more without a look at revocations';
const toldAgain = 'info: revocations can be looked up again';

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
  const { standing } = create(60);
  expect([await standing(yes), await standing(no)]).toEqual(['live', 'dead']);
  expect(log).toEqual([]);
});

test('by default nobody is let in while it cannot be known', async () => {
  const { standing } = create(0);
  await standing(yes);
  for (const _ of [1, 2]) await expect(standing(fails)).rejects.toBe(away);
  expect(await standing(yes)).toBe('live');
  expect(log).toEqual([]);
});

test('an outage is tolerated for as long as was set, counted from the last answer; each change is told once', async () => {
  const { standing } = create(60);
  await standing(yes);
  clock.advance(20_000);
  expect(await standing(fails)).toBe('unchecked');
  clock.advance(40_000);
  expect(await standing(fails)).toBe('unchecked');
  expect(log).toEqual([toldYes]);
  clock.advance(1);
  for (const _ of [1, 2]) await expect(standing(fails)).rejects.toBe(away);
  expect(log).toEqual([toldYes, toldNoMore]);
  expect(await standing(no)).toBe('dead');
  expect(log).toEqual([toldYes, toldNoMore, toldAgain]);
  expect(await standing(fails)).toBe('unchecked');
});

test('from when it is known nobody waits for the store', async () => {
  const { standing } = create(60);
  await standing(yes);
  await standing(fails);
  const never = () => new Promise<boolean>(() => {});
  expect(await standing(never)).toBe('unchecked');
});

test('a process that never knew anything refuses', async () => {
  const { standing } = create(300);
  await expect(standing(fails)).rejects.toBe(away);
  expect(log).toEqual([]);
});

test('a store that answers others meanwhile is not away, however much it has to do', async () => {
  const { standing } = create(60);
  await standing(yes);
  const slow = standing(async () => {
    await standing(yes);
    throw away;
  });
  await expect(slow).rejects.toBe(away);
  expect(await standing(no)).toBe('dead');
  expect(log).toEqual([]);
});

test('what fails in another way is no outage', async () => {
  const { standing } = create(60);
  await standing(yes);
  const broken = new Error('a mistake of ours');
  await expect(standing(() => Promise.reject(broken))).rejects.toBe(broken);
  expect(await standing(no)).toBe('dead');
});

describe('probes', () => {
  const start = (seconds: number) => {
    const one = create(seconds);
    started.push(one);
    one.start();
    return one;
  };

  test('keep a quiet process knowing, and find out when the store is back', async () => {
    const { standing } = start(60);
    expect(probes).toBe(1);
    await waitFor(() => standing(fails).then((answer) => answer === 'unchecked'));
    expect(await standing(no)).toBe('unchecked');
    await waitFor(() => log.includes(toldAgain));
    expect(await standing(no)).toBe('dead');
  });

  test('that fail begin an outage themselves', async () => {
    const { standing } = start(60);
    await waitFor(() => standing(yes).then((answer) => answer === 'live'));
    probeFails = true;
    clock.advance(6_000);
    await waitFor(() => log.includes(toldYes));
    expect(await standing(yes)).toBe('unchecked');
  });

  test('are not made where nothing is tolerated', () => {
    start(0);
    expect(probes).toBe(0);
  });
});
