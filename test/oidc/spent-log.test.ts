import { expect, test } from '@jest/globals';
import { noteSpent, type SpentLog, spentTime } from '../../provider/oidc/storage/refresh-tokens.ts';

const start = 1_000_000_000;

/** Spends a token every `gapMs`. The token with count `n` is spent at `start + n * gapMs`. */
function spendAll(count: number, gapMs: number): SpentLog {
  let log: SpentLog = [];
  for (let n = 0; n < count; n += 1) log = noteSpent(log, n, start + n * gapMs);
  return log;
}

test('the log returns when each token of the last minute was spent', () => {
  const log = spendAll(31, 2_000);
  for (let n = 0; n <= 30; n += 1) expect(spentTime(log, n)).toBe(start + n * 2_000);
  expect(spentTime(log, 31)).toBeUndefined();
});

test('the log drops entries older than any grace', () => {
  const log = spendAll(100, 2_000);
  expect(spentTime(log, 99)).toBe(start + 99 * 2_000);
  expect(spentTime(log, 99 - 30)).toBe(start + (99 - 30) * 2_000);
  expect(spentTime(log, 99 - 31)).toBeUndefined();
  expect(log.length).toBeLessThan(33);
});

test('the log stays short for a client that refreshes constantly, and is exact to the second', () => {
  const gapMs = 5;
  const log = spendAll(30_000, gapMs);
  expect(log.length).toBeLessThanOrEqual(62);
  expect(JSON.stringify(log).length).toBeLessThan(2_500);
  for (const ago of [0, 1, 199, 200, 5_000, 11_999]) {
    const spentAt = start + (29_999 - ago) * gapMs;
    const told = spentTime(log, 29_999 - ago) ?? 0;
    expect(told).toBeGreaterThanOrEqual(spentAt);
    expect(told - spentAt).toBeLessThan(1_000);
  }
  expect(spentTime(log, 29_999 - 13_000)).toBeUndefined();
});

test('the log loses nothing if the clock goes back a little', () => {
  const log = noteSpent(noteSpent(noteSpent([], 0, start), 1, start - 50), 2, start + 10);
  expect([0, 1, 2].map((n) => spentTime(log, n) !== undefined)).toEqual([true, true, true]);
});
