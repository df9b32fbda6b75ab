import { expect, test } from '@jest/globals';
import { createRecentRefusals } from '../../provider/rate-limits/recent-refusals.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createGuardWorld } from './guard-world.ts';

const home = '192.0.2.1';

test('who asks rarely costs no call of the store; who asks much is counted there', async () => {
  const { requests, calls } = createGuardWorld();
  for (let index = 0; index < 60; index += 1) await requests.request('authorize', home);
  expect(calls).toEqual({});
  await requests.request('authorize', home);
  expect(calls).toEqual({ take: 1 });
});

test('too many are refused, without a call of the store until one may come again', async () => {
  const { requests, calls, limited, outcome, clock } = createGuardWorld();
  const ask = () => outcome(requests.request('authorize', home));
  for (let index = 0; index < 660; index += 1) expect(await ask()).toBe('ok');
  for (let index = 0; index < 100; index += 1) expect(await ask()).toBe('too_many_requests');
  expect(calls).toEqual({ take: 601 + 360 });
  expect(limited).toEqual(Array(100).fill('authorize by address'));
  clock.advance(100);
  expect(await ask()).toBe('ok');
  expect(await outcome(requests.request('token', home))).toBe('ok');
  expect(await outcome(requests.request('authorize', '203.0.113.1'))).toBe('ok');
});

test('a network is counted besides its addresses', async () => {
  const { requests, outcome, limited } = createGuardWorld({ percent: 10 });
  const outcomes: string[] = [];
  for (let index = 0; index < 340; index += 1)
    outcomes.push(await outcome(requests.request('authorize', `192.0.2.${index % 200}`)));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(330);
  expect(new Set(limited)).toEqual(new Set(['authorize by network']));
});

test('pages have a bound for all networks together, which is told as our having too much to do', async () => {
  const { requests, outcome, limited, clock } = createGuardWorld({ percent: 1 });
  const ask = (index: number) => outcome(requests.request('page', `20.${index >> 8}.${index & 255}.1`));
  const outcomes: string[] = [];
  for (let index = 0; index < 300; index += 1) outcomes.push(await ask(index));
  // A hundred by all together, and ten by this process.
  expect(outcomes).toEqual([...Array(110).fill('ok'), ...Array(190).fill('overloaded')]);
  expect(limited).toEqual(Array(190).fill('page by all'));
  const refused = requests.request('page', '20.9.9.9');
  await expect(refused).rejects.toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 6 });
  expect(await outcome(requests.request('authorize', '20.9.9.9'))).toBe('ok');
  clock.advance(6000);
  expect(await ask(500)).toBe('ok');
});

test('wrong secrets of a client are counted, right ones are not', async () => {
  const { requests, calls, outcome, clock } = createGuardWorld();
  const who = { client: 'web', address: home };
  for (let index = 0; index < 200; index += 1)
    expect(await requests.clientSecret(who, () => true)).toBe(true);
  expect(calls).toEqual({});
  for (let index = 0; index < 60; index += 1)
    expect(await requests.clientSecret(who, () => false)).toBe(false);
  expect(await outcome(requests.clientSecret(who, () => false))).toBe('too_many_requests');
  let looked = false;
  const guess = requests.clientSecret(who, () => {
    looked = true;
    return true;
  });
  await expect(guess).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 10 });
  expect(looked).toBe(false);
  expect(await requests.clientSecret({ ...who, client: 'other' }, () => true)).toBe(true);
  expect(await requests.clientSecret({ ...who, address: '203.0.113.1' }, () => true)).toBe(true);
  clock.advance(10_000);
  expect(await requests.clientSecret(who, () => true)).toBe(true);
});

test('what was refused is remembered in bounded memory, and for no longer than was told', () => {
  const clock = createManualClock();
  const refusals = createRecentRefusals(clock, 2);
  for (const [key, waitMs] of [
    ['a', 1000],
    ['b', 5000],
    ['c', 5000],
  ] as const)
    refusals.note(key, waitMs);
  expect([refusals.waitMs('a'), refusals.waitMs('b')]).toEqual([0, 5000]);
  clock.advance(4000);
  expect(refusals.waitMs('b')).toBe(1000);
  clock.advance(-3_600_000);
  expect(refusals.waitMs('c')).toBe(5000);
  clock.advance(3_601_000);
  expect(refusals.waitMs('b')).toBe(0);
});
