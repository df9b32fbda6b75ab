import { expect, test } from '@jest/globals';
import { createLimitsWorld } from './limits-world.ts';

const home = '192.0.2.1';
const nothing = async () => undefined;
const something = async () => 'a code';

test('unknown codes are counted, also parallel ones; known codes are not', async () => {
  const { userCode, outcome, limited, clock } = createLimitsWorld();
  for (let index = 0; index < 200; index += 1) expect(await userCode(home, something)).toBe('a code');
  const guesses = Array.from({ length: 50 }, () => outcome(userCode(home, nothing)));
  const outcomes = await Promise.all(guesses);
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(30);
  expect(new Set(limited)).toEqual(new Set(['user-code by address']));
  let looked = false;
  const look = async () => {
    looked = true;
    return 'a code';
  };
  expect(await outcome(userCode(home, look))).toBe('too_many_requests');
  expect(looked).toBe(false);
  expect(await userCode('203.0.113.1', something)).toBe('a code');
  clock.advance(120_000);
  expect(await userCode(home, something)).toBe('a code');
});

test('a network is counted in addition to its addresses', async () => {
  const { userCode, outcome, limited } = createLimitsWorld();
  const outcomes: string[] = [];
  for (let index = 0; index < 130; index += 1)
    outcomes.push(await outcome(userCode(`192.0.2.${index}`, nothing)));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(120);
  expect(new Set(limited)).toEqual(new Set(['user-code by network']));
});

test('a look-up that fails is not a guess', async () => {
  const { userCode, outcome } = createLimitsWorld();
  const failing = async () => {
    throw new Error('away');
  };
  for (let index = 0; index < 60; index += 1)
    expect(await outcome(userCode(home, failing))).toBe('Error: away');
  expect(await userCode(home, something)).toBe('a code');
});

test('a device may poll every five seconds, and once too early', async () => {
  const { pollsTooSoon, clock, limited } = createLimitsWorld();
  const ask = async (seconds: number) => {
    clock.advance(seconds * 1000);
    return pollsTooSoon('a-device-code');
  };
  expect(await ask(0)).toBe(false);
  expect(await ask(0)).toBe(false);
  expect(await ask(0)).toBe(true);
  for (let turn = 0; turn < 10; turn += 1) expect(await ask(5)).toBe(false);
  expect(await ask(1)).toBe(true);
  expect(await pollsTooSoon('another')).toBe(false);
  expect(limited).toEqual([]);
});
