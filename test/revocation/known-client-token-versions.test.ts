import { afterEach, expect, jest, test } from '@jest/globals';
import {
  createKnownClientTokenVersions,
  type KnownClientTokenVersions,
} from '../../provider/revocation/known-client-token-versions.ts';
import { waitFor } from '../support/wait-for.ts';

let known: KnownClientTokenVersions | undefined;
afterEach(async () => {
  await known?.stop();
  jest.useRealTimers();
});

/** A store whose answer can be changed, or be a failure. */
function createStore() {
  const store = {
    numbers: new Map<string, number>(),
    isAway: false,
    reads: 0,
    all: async () => {
      store.reads += 1;
      if (store.isAway) throw new Error('unreachable');
      return new Map(store.numbers);
    },
  };
  return store;
}

test('numbers are known once it has started, and new ones a moment later; those of others are 0', async () => {
  const store = createStore();
  store.numbers.set('web', 3);
  known = createKnownClientTokenVersions(store, { intervalMs: 1 });
  await known.start();
  expect([known.of('web'), known.of('other')]).toEqual([3, 0]);
  store.numbers.set('other', 1);
  await waitFor(() => known?.of('other') === 1);
});

test('a read that fails leaves the last numbers in use, and another one follows', async () => {
  const store = createStore();
  store.numbers.set('web', 3);
  known = createKnownClientTokenVersions(store, { intervalMs: 1 });
  await known.start();
  store.isAway = true;
  const before = store.reads;
  await waitFor(() => store.reads > before + 2);
  expect(known.of('web')).toBe(3);
  store.numbers.set('web', 4);
  store.isAway = false;
  await waitFor(() => known?.of('web') === 4);
});

test('what can not be read at the start is no start', async () => {
  const store = createStore();
  store.isAway = true;
  known = createKnownClientTokenVersions(store, { intervalMs: 1 });
  await expect(known.start()).rejects.toThrow('unreachable');
});

test('no read follows the one under way once it is stopped', async () => {
  jest.useFakeTimers();
  const store = createStore();
  known = createKnownClientTokenVersions(store, { intervalMs: 500 });
  await known.start();
  await jest.advanceTimersByTimeAsync(500);
  expect([store.reads, jest.getTimerCount()]).toEqual([2, 1]);
  jest.advanceTimersByTime(500);
  await known.stop();
  expect([store.reads, jest.getTimerCount()]).toEqual([3, 0]);
});
