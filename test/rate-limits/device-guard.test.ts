import { expect, test } from '@jest/globals';
import { createGuardWorld } from './guard-world.ts';

const home = '192.0.2.1';
const nothing = async () => undefined;
const something = async () => 'a code';

test('codes that nobody was given are counted, also those tried at once; others are not', async () => {
  const { devices, outcome, limited, clock } = createGuardWorld();
  for (let index = 0; index < 200; index += 1) expect(await devices.userCode(home, something)).toBe('a code');
  const guesses = Array.from({ length: 50 }, () => outcome(devices.userCode(home, nothing)));
  const outcomes = await Promise.all(guesses);
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(30);
  expect(new Set(limited)).toEqual(new Set(['user-code by address']));
  let looked = false;
  const look = async () => {
    looked = true;
    return 'a code';
  };
  expect(await outcome(devices.userCode(home, look))).toBe('too_many_requests');
  expect(looked).toBe(false);
  expect(await devices.userCode('203.0.113.1', something)).toBe('a code');
  clock.advance(120_000);
  expect(await devices.userCode(home, something)).toBe('a code');
});

test('a network is counted besides its addresses', async () => {
  const { devices, outcome, limited } = createGuardWorld();
  const outcomes: string[] = [];
  for (let index = 0; index < 130; index += 1)
    outcomes.push(await outcome(devices.userCode(`192.0.2.${index}`, nothing)));
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(120);
  expect(new Set(limited)).toEqual(new Set(['user-code by network']));
});

test('a look that failed is no guess', async () => {
  const { devices, outcome } = createGuardWorld();
  const failing = async () => {
    throw new Error('away');
  };
  for (let index = 0; index < 60; index += 1)
    expect(await outcome(devices.userCode(home, failing))).toBe('Error: away');
  expect(await devices.userCode(home, something)).toBe('a code');
});

test('a device may ask every five seconds, and once in a hurry', async () => {
  const { devices, clock, limited } = createGuardWorld();
  const ask = async (seconds: number) => {
    clock.advance(seconds * 1000);
    return devices.pollsTooSoon('a-device-code');
  };
  expect(await ask(0)).toBe(false);
  expect(await ask(0)).toBe(false);
  expect(await ask(0)).toBe(true);
  for (let turn = 0; turn < 10; turn += 1) expect(await ask(5)).toBe(false);
  expect(await ask(1)).toBe(true);
  expect(await devices.pollsTooSoon('another')).toBe(false);
  expect(limited).toEqual([]);
});
