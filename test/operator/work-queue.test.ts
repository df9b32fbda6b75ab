import { expect, test } from '@jest/globals';
import { createWorkQueue, type WorkQueueOptions } from '../../provider/operator/work-queue.ts';
import { waitFor } from '../support/wait-for.ts';

const queueOf = (options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, 'handle'>) =>
  createWorkQueue({ failed: () => {}, workers: 2, minRetryMs: 1, maxRetryMs: 5, ...options });

/** A handler that waits until it is released. */
function held() {
  const begun: string[] = [];
  const releases: (() => void)[] = [];
  let most = 0;
  const running = new Set<string>();
  return {
    begun,
    most: () => most,
    release: () => releases.shift()?.(),
    handle: async (key: string): Promise<undefined> => {
      if (running.has(key)) throw new Error(`${key} is handled twice at the same time`);
      running.add(key);
      begun.push(key);
      most = Math.max(most, running.size);
      await new Promise<void>((resolve) => releases.push(resolve));
      running.delete(key);
    },
  };
}

test('a key that is added many times while it waits is handled once', async () => {
  const { begun, handle, release } = held();
  const queue = queueOf({ handle, workers: 1 });
  queue.add('first');
  for (let count = 0; count < 5; count += 1) queue.add('second');
  expect(queue.depth()).toBe(1);
  release();
  await waitFor(() => begun.length === 2);
  release();
  await queue.stop();
  expect(begun).toEqual(['first', 'second']);
});

test('a key that is added while it is handled is handled once more afterwards, never at the same time', async () => {
  const { begun, handle, release } = held();
  const failures: unknown[] = [];
  const queue = queueOf({ handle, failed: (_key, error) => void failures.push(error) });
  queue.add('key');
  queue.add('key');
  queue.add('key');
  expect(begun).toEqual(['key']);
  release();
  await waitFor(() => begun.length === 2);
  release();
  await queue.stop();
  expect(begun).toEqual(['key', 'key']);
  expect(failures).toEqual([]);
});

test('no more keys than workers are handled at the same time', async () => {
  const { begun, handle, release, most } = held();
  const queue = queueOf({ handle, workers: 3 });
  for (let key = 0; key < 10; key += 1) queue.add(String(key));
  await waitFor(() => {
    release();
    return begun.length === 10;
  });
  for (let key = 0; key < 10; key += 1) release();
  await queue.stop();
  expect(most()).toBe(3);
});

test('a key that fails is tried again with longer pauses, and others are not held up', async () => {
  const retries: number[] = [];
  let tries = 0;
  const done: string[] = [];
  const queue = queueOf({
    minRetryMs: 4,
    maxRetryMs: 20,
    workers: 1,
    handle: async (key) => {
      if (key === 'bad') tries += 1;
      if (key === 'bad' && tries <= 4) throw new Error('not yet');
      done.push(key);
      return undefined;
    },
    failed: (_key, _error, retryMs) => void retries.push(retryMs),
  });
  queue.add('bad');
  queue.add('good');
  await waitFor(() => done.includes('bad'));
  await queue.stop();
  expect(done[0]).toBe('good');
  const bounds = [4, 8, 16, 20];
  for (const [at, most] of bounds.entries()) {
    expect(retries[at]).toBeGreaterThanOrEqual(most / 2);
    expect(retries[at]).toBeLessThanOrEqual(most);
  }
});

test('a key is handled again after the time that its handler gave', async () => {
  let count = 0;
  const handle = async () => {
    count += 1;
    return count < 3 ? 1 : undefined;
  };
  const queue = queueOf({ handle });
  queue.add('key');
  await waitFor(() => count === 3);
  await queue.stop();
  expect(count).toBe(3);
});

test('after stop, nothing is handled', async () => {
  const { begun, handle, release } = held();
  const queue = queueOf({ handle, workers: 1 });
  queue.add('one');
  queue.add('two');
  const stopped = queue.stop();
  release();
  await stopped;
  queue.add('three');
  expect(begun).toEqual(['one']);
});
