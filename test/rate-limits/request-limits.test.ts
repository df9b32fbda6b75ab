import { expect, test } from '@jest/globals';
import { leftovers } from '../../provider/rate-limits/leftovers.ts';
import { createRecentRefusals } from '../../provider/rate-limits/request-limits.ts';
import { buckets } from '../../provider/rate-limits/rules.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createLimitsWorld } from './limits-world.ts';

const home = '192.0.2.1';

test('few requests cost no call of the store; many are counted there', async () => {
  const { count, calls } = createLimitsWorld();
  for (let index = 0; index < 60; index += 1) await count('authorize', home);
  expect(calls).toEqual({});
  await count('authorize', home);
  expect(calls).toEqual({ take: 1 });
});

test('too many are refused, without a call of the store until the wait is over', async () => {
  const { count, calls, limited, outcome, clock } = createLimitsWorld();
  const ask = () => outcome(count('authorize', home));
  for (let index = 0; index < 660; index += 1) expect(await ask()).toBe('ok');
  for (let index = 0; index < 100; index += 1) expect(await ask()).toBe('too_many_requests');
  expect(calls).toEqual({ take: 601 + 360 });
  expect(limited).toEqual(Array(100).fill('authorize by address'));
  clock.advance(100);
  expect(await ask()).toBe('ok');
  expect(await outcome(count('token', home))).toBe('ok');
  expect(await outcome(count('authorize', '203.0.113.1'))).toBe('ok');
});

test('a network is counted in addition to its addresses', async () => {
  const { count, outcome, limited } = createLimitsWorld({ percent: 10 });
  const outcomes: string[] = [];
  for (let index = 0; index < 340; index += 1)
    outcomes.push(await outcome(count('authorize', `192.0.2.${index % 200}`)));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(330);
  expect(new Set(limited)).toEqual(new Set(['authorize by network']));
});

test('pages have a limit for all networks together, whose refusal is `overloaded`', async () => {
  const { count, outcome, limited, clock } = createLimitsWorld({ percent: 1 });
  const ask = (index: number) => outcome(count('page', `20.${index >> 8}.${index & 255}.1`));
  const outcomes: string[] = [];
  for (let index = 0; index < 300; index += 1) outcomes.push(await ask(index));
  // A hundred are allowed for all processes together, and ten for this process.
  expect(outcomes).toEqual([...Array(110).fill('ok'), ...Array(190).fill('overloaded')]);
  expect(limited).toEqual(Array(190).fill('page by all'));
  const refused = count('page', '20.9.9.9');
  await expect(refused).rejects.toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 6 });
  expect(await outcome(count('authorize', '20.9.9.9'))).toBe('ok');
  clock.advance(6000);
  expect(await ask(500)).toBe('ok');
});

test.each(leftovers)('$request has limits by address, by network and for all together', ({ limit }) => {
  expect(Object.keys(buckets[limit]).sort()).toEqual(['address', 'all', 'network']);
});

test('requests for the account page are limited by session, wherever they come from', async () => {
  const { countSession, outcome, limited, calls } = createLimitsWorld();
  const ask = (index: number, session = 'one') => outcome(countSession(session, `20.0.${index}.1`));
  const outcomes: string[] = [];
  for (let index = 0; index < 80; index += 1) outcomes.push(await ask(index));
  // Sixty are allowed for all processes together, and six for this process.
  expect(outcomes).toEqual([...Array(66).fill('ok'), ...Array(14).fill('too_many_requests')]);
  expect(limited).toEqual(Array(14).fill('account by session'));
  expect(calls).toEqual({ take: 61 });
  expect(await ask(1, 'another')).toBe('ok');
});

test('wrong secrets of a client are counted, right ones are not', async () => {
  const { clientSecret, calls, outcome, clock } = createLimitsWorld();
  const who = { client: 'web', address: home };
  for (let index = 0; index < 200; index += 1) expect(await clientSecret(who, () => true)).toBe(true);
  expect(calls).toEqual({});
  for (let index = 0; index < 60; index += 1) expect(await clientSecret(who, () => false)).toBe(false);
  expect(await outcome(clientSecret(who, () => false))).toBe('too_many_requests');
  let looked = false;
  const guess = clientSecret(who, () => {
    looked = true;
    return true;
  });
  await expect(guess).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 10 });
  expect(looked).toBe(false);
  expect(await clientSecret({ ...who, client: 'other' }, () => true)).toBe(true);
  expect(await clientSecret({ ...who, address: '203.0.113.1' }, () => true)).toBe(true);
  clock.advance(10_000);
  expect(await clientSecret(who, () => true)).toBe(true);
});

test('refusals are kept in bounded memory, and no longer than the Retry-After of the response', () => {
  const clock = createManualClock();
  const refusals = createRecentRefusals(clock, 2);
  for (const [key, waitMs] of [
    ['a', 1000],
    ['b', 5000],
    ['c', 5000],
  ] as const)
    refusals.add(key, waitMs);
  expect([refusals.waitMs('a'), refusals.waitMs('b')]).toEqual([0, 5000]);
  clock.advance(4000);
  expect(refusals.waitMs('b')).toBe(1000);
  clock.advance(-3_600_000);
  expect(refusals.waitMs('c')).toBe(5000);
  clock.advance(3_601_000);
  expect(refusals.waitMs('b')).toBe(0);
});
