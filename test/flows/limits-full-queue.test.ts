import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { metric } from '../support/metrics.ts';
import { waitFor } from '../support/wait-for.ts';
import { addressIn, fromAnywhere, tryPassword } from './limits-world.ts';

/** One slow hash at a time, and a queue of one. */
const slowHashes = {
  GATEHOUSE_HASHING_CONCURRENCY: '1',
  GATEHOUSE_HASHING_QUEUE: '1',
  GATEHOUSE_ARGON2_MEMORY_KIB: '65536',
  GATEHOUSE_ARGON2_PASSES: '20',
};

describe('G9, when the hashing queue is full', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    const env = { ...fromAnywhere, ...slowHashes };
    deployment = await startServers({ processes: 1, redis: false, env });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const isFull = async () => (await metric(deployment, 'gatehouse_hashing_queue_depth')) === 1;
  const storeCalls = () =>
    Promise.all(
      ['limits.', 'accounts.'].map((operation) =>
        metric(deployment, 'gatehouse_store_call_duration_seconds_count', operation),
      ),
    );

  test('a sign-in is refused without a store call', async () => {
    let tries = 0;
    await waitFor(
      async () => {
        tries += 1;
        const others = [1, 2].map((who) => tryPassword(deployment, addressIn(10 * tries + who)));
        await waitFor(isFull, { what: 'the queue to be full' });
        const before = await storeCalls();
        const { status } = await tryPassword(deployment, addressIn(10 * tries + 3));
        const after = await storeCalls();
        // If the queue isn't full any more, another sign-in has finished meanwhile. Then try again.
        const wasFull = await isFull();
        await Promise.all(others);
        if (!wasFull) return false;
        expect([status, after]).toEqual([503, before]);
        return true;
      },
      { timeoutMs: 25_000, what: 'a sign-in while the queue is full' },
    );
  });
});
