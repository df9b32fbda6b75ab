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

/** A store whose result can be changed to another value or a failure. */
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

test('versions are known after the start, and new ones a moment later; other clients have 0', async () => {
  const store = createStore();
  store.numbers.set('web', 3);
  known = createKnownClientTokenVersions(store, { intervalMs: 1 });
  await known.start();
  expect([known.of('web'), known.of('other')]).toEqual([3, 0]);
  store.numbers.set('other', 1);
  await waitFor(() => known?.of('other') === 1);
});

test('after a failed read the last versions stay in use, and another read follows', async () => {
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

test('the start fails if the versions cannot be read', async () => {
  const store = createStore();
  store.isAway = true;
  known = createKnownClientTokenVersions(store, { intervalMs: 1 });
  await expect(known.start()).rejects.toThrow('unreachable');
});

test('after a stop no read follows the current one', async () => {
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

test('with signals, the store is read rarely at rest, soon after a signal, and again when tokens are issued after a long rest', async () => {
  jest.useFakeTimers();
  const store = createStore();
  const woken = new Set<() => void>();
  const listen = (wake: () => void) => {
    woken.add(wake);
    return { arrives: () => true, stop: async () => void woken.delete(wake) };
  };
  known = createKnownClientTokenVersions(store, { listen });
  await known.start();
  store.reads = 0;
  await jest.advanceTimersByTimeAsync(600_000);
  expect(store.reads).toBeLessThan(8);
  store.numbers.set('app', 1);
  for (const wake of woken) wake();
  await jest.advanceTimersByTimeAsync(500);
  expect(known.of('app')).toBe(1);
  await jest.advanceTimersByTimeAsync(300_000);
  // This signal was lost.
  store.numbers.set('app', 2);
  known.of('app');
  await jest.advanceTimersByTimeAsync(500);
  expect(known.of('app')).toBe(2);
  await known.stop();
});
