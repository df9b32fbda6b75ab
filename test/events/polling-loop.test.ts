import { expect, test } from '@jest/globals';
import { createPollingLoop } from '../../provider/events/polling-loop.ts';
import { waitFor } from '../support/wait-for.ts';

const hour = 3_600_000;

test('a nudge during an empty poll causes another poll at once', async () => {
  let looks = 0;
  let finish = () => {};
  const loop = createPollingLoop({
    step: async () => {
      looks += 1;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return false;
    },
    failed: () => {},
    minIdleMs: hour,
    maxIdleMs: hour,
  });
  loop.start();
  loop.nudge();
  finish();
  await waitFor(() => looks === 2);
  const stopping = loop.stop();
  finish();
  await stopping;
  expect(looks).toBe(2);
});

test('the pauses are short again after a poll with a result', async () => {
  let looks = 0;
  const step = async () => {
    looks += 1;
    return false;
  };
  const loop = createPollingLoop({ step, failed: () => {}, minIdleMs: 1, maxIdleMs: hour });
  const start = performance.now();
  loop.start();
  await waitFor(() => looks >= 9);
  const slowingDown = performance.now() - start;
  loop.nudge();
  await waitFor(() => looks >= 15);
  expect(performance.now() - start - slowingDown).toBeLessThan(slowingDown);
  await loop.stop();
});
