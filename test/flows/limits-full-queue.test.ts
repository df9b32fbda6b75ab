import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import { metric } from '../support/metrics.ts';
import { waitFor } from '../support/wait-for.ts';
import { addressIn, fromAnywhere, tryPassword } from './limits-world.ts';

/** One hash at a time, which takes its while, and room for one more. */
const slowHashes = {
  GATEHOUSE_HASHING_CONCURRENCY: '1',
  GATEHOUSE_HASHING_QUEUE: '1',
  GATEHOUSE_ARGON2_MEMORY_KIB: '65536',
  GATEHOUSE_ARGON2_PASSES: '20',
};

describe('G9, when no more passwords can be hashed', () => {
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

  test('a sign-in is refused before any store is asked', async () => {
    let tries = 0;
    await waitFor(
      async () => {
        tries += 1;
        const others = [1, 2].map((who) => tryPassword(deployment, addressIn(10 * tries + who)));
        await waitFor(isFull, { what: 'the queue to be full' });
        const before = await storeCalls();
        const { status } = await tryPassword(deployment, addressIn(10 * tries + 3));
        const after = await storeCalls();
        // Else one of the others was done meanwhile, and it has to be tried again.
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
