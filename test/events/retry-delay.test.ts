import { expect, test } from '@jest/globals';
import { retryDelayMs } from '../../provider/events/relay.ts';

const policy = { baseMs: 1000, maxMs: 300_000 };

test.each([
  [0, 500, 1000],
  [1, 1000, 2000],
  [5, 16_000, 32_000],
  [9, 150_000, 300_000],
  [5000, 150_000, 300_000],
])('after %d attempts an event waits %d to %d ms', (attempts, least, most) => {
  expect(retryDelayMs(attempts, policy, () => 0)).toBe(least);
  expect(retryDelayMs(attempts, policy, () => 1)).toBe(most);
});
