import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { useFixture } from './fixture.ts';

export interface AnnouncementsFixture {
  unitOfWork: UnitOfWork;
  /** A second one over the same data, with its own connections. */
  another?: UnitOfWork;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/announcements.ts` on what `open` gives. */
export function announcementsContract(name: string, open: () => Promise<AnnouncementsFixture>): void {
  describe(`${name} keeps the contract of Announcements`, () => {
    const fixture = useFixture(open);

    const exchange = (topic: string, value: string, unitOfWork = fixture().unitOfWork) =>
      unitOfWork.run(({ announcements }) => announcements.exchange(topic, value));

    test('returns the last value of a topic, and nothing at first', async () => {
      const [topic, other] = [newId('topic'), newId('topic')];
      expect(await exchange(topic, 'one')).toBeUndefined();
      expect(await exchange(topic, '["two","ü"]')).toBe('one');
      expect(await exchange(topic, '')).toBe('["two","ü"]');
      expect(await exchange(topic, 'four')).toBe('');
      expect(await exchange(other, 'one')).toBeUndefined();
    });

    test('can be read without a change', async () => {
      const topic = newId('topic');
      const read = () => fixture().unitOfWork.run(({ announcements }) => announcements.read(topic));
      expect(await read()).toBeUndefined();
      await exchange(topic, 'one');
      expect([await read(), await read()]).toEqual(['one', 'one']);
      expect(await exchange(topic, 'two')).toBe('one');
    });

    test('does not keep the value of a failed transaction', async () => {
      const topic = newId('topic');
      await exchange(topic, 'one');
      const run = fixture().unitOfWork.run(async ({ announcements }) => {
        await announcements.exchange(topic, 'two');
        throw new Error('changed its mind');
      });
      await expect(run).rejects.toThrow('changed its mind');
      expect(await exchange(topic, 'three')).toBe('one');
    });

    test.each([true, false])(
      'returns another value to only one of 12 parallel calls with the same value; existing value: %s',
      async (before) => {
        const topic = newId('topic');
        if (before) await exchange(topic, 'old');
        const stores = [fixture().unitOfWork, fixture().another ?? fixture().unitOfWork];
        // If transactions run in parallel, each waits until all have begun.
        let missing = fixture().another ? 12 : 1;
        let begin = () => {};
        const allBegan = new Promise<void>((resolve) => {
          begin = resolve;
        });
        const together = (unitOfWork: UnitOfWork | undefined) =>
          unitOfWork?.run(async ({ announcements }) => {
            missing -= 1;
            if (missing <= 0) begin();
            await allBegan;
            return announcements.exchange(topic, 'new');
          });
        const given = await Promise.all(
          Array.from({ length: 12 }, (_, index) => together(stores[index % 2])),
        );
        expect(given.filter((last) => last !== 'new')).toEqual([before ? 'old' : undefined]);
      },
    );
  });
}
