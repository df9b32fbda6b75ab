import { expect, test } from '@jest/globals';
import { fewAtATime } from '../../provider/oidc/sessions/few-at-a-time.ts';

const items = Array.from({ length: 20 }, (_, index) => index);

test('all items are processed in order, with a few in parallel', async () => {
  let [running, most] = [0, 0];
  const results = await fewAtATime(
    items,
    async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return item * 2;
    },
    3,
  );
  expect(results).toEqual(items.map((item) => item * 2));
  expect(most).toBe(3);
});

test('a failure is thrown after the started items have ended, and no more items are started', async () => {
  const done: number[] = [];
  const work = async (item: number) => {
    if (item === 3) throw new Error('no');
    await new Promise(setImmediate);
    done.push(item);
  };
  await expect(fewAtATime(items, work, 5)).rejects.toThrow('no');
  expect(done).toEqual([0, 1, 2, 4]);
});
