import { describe, expect, test } from '@jest/globals';
import { createAnnouncer, type Difference } from '../../provider/events/announcer.ts';
import { createEvent } from '../../provider/events/catalogue.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

function createWorld() {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const outbox = new MemoryOutbox({ database });
  const warnings: object[] = [];
  let away = false;
  let transactions = 0;
  const memory = new MemoryUnitOfWork({ database });
  const unitOfWork: UnitOfWork = {
    run: (work) => {
      transactions += 1;
      return away ? Promise.reject(new Error('away')) : memory.run(work);
    },
  };
  /** Starts the announcer of one process. */
  const start = () => {
    const logger = { warn: (fields: object) => void warnings.push(fields) };
    const announcer = createAnnouncer({ unitOfWork, logger });
    const announce = (members: Record<string, unknown>) =>
      announcer.announce({
        topic: 'clients of file',
        members: new Map(Object.entries(members)),
        event: (difference: Difference) =>
          createEvent('clients.changed', 'clients:file', { source: 'file', ...difference }, { clock }),
      });
    return { announce, retry: announcer.retry };
  };
  /** The data of events since the last call. */
  const told = async () => {
    const data: unknown[] = [];
    for (;;) {
      const [event] = await outbox.claim(1, clock.now(), 1000);
      if (event === undefined) return data;
      data.push(event.data);
      await outbox.markPublished([event.id], clock.now());
    }
  };
  return {
    start,
    told,
    warnings,
    transactions: () => transactions,
    setAway: (value: boolean) => {
      away = value;
    },
  };
}

const nothing = { source: 'file', added: [], changed: [], removed: [] };

describe('the announcer', () => {
  test('writes an event with added, changed and removed members', async () => {
    const { start, told } = createWorld();
    const { announce } = start();
    await announce({ a: 1, b: 1 });
    expect(await told()).toEqual([{ ...nothing, added: ['a', 'b'] }]);
    await announce({ c: 1, b: 2 });
    expect(await told()).toEqual([{ ...nothing, added: ['c'], changed: ['b'], removed: ['a'] }]);
    await announce({});
    expect(await told()).toEqual([{ ...nothing, removed: ['b', 'c'] }]);
  });

  test('writes one event for a change that many processes notice, also after a restart', async () => {
    const { start, told } = createWorld();
    const processes = Array.from({ length: 10 }, start);
    await Promise.all(processes.map(({ announce }) => announce({ a: 1 })));
    await Promise.all(processes.map(({ announce }) => announce({ a: 2 })));
    await start().announce({ a: 2 });
    expect(await told()).toEqual([
      { ...nothing, added: ['a'] },
      { ...nothing, changed: ['a'] },
    ]);
  });

  test('writes events for a reverted change and for the same change again', async () => {
    const { start, told } = createWorld();
    const { announce } = start();
    for (const members of [{ a: 1 }, {}, { a: 1 }]) await announce(members);
    expect(await told()).toEqual([
      { ...nothing, added: ['a'] },
      { ...nothing, removed: ['a'] },
      { ...nothing, added: ['a'] },
    ]);
  });

  test('uses the database only after a change', async () => {
    const { start, transactions } = createWorld();
    const { announce, retry } = start();
    for (let look = 0; look < 5; look += 1) await announce({ b: { x: 1 }, a: 1 });
    await announce({ a: 1, b: { x: 1 } });
    await retry();
    expect(transactions()).toBe(1);
  });

  test('writes a failed event later, and only for the latest change', async () => {
    const { start, told, setAway, warnings } = createWorld();
    const { announce, retry } = start();
    setAway(true);
    await announce({ a: 1 });
    await announce({ b: 1 });
    await retry();
    expect(warnings).toHaveLength(3);
    setAway(false);
    await retry();
    await retry();
    expect(await told()).toEqual([{ ...nothing, added: ['b'] }]);
  });

  test('splits a very large change into several events', async () => {
    const { start, told } = createWorld();
    const ids = Array.from({ length: 1201 }, (_, index) => `client-${String(index).padStart(4, '0')}`);
    await start().announce(Object.fromEntries(ids.map((id) => [id, 1])));
    const data = (await told()) as { added: string[] }[];
    expect(data.map(({ added }) => added.length)).toEqual([500, 500, 201]);
    expect(data.flatMap(({ added }) => added)).toEqual(ids);
  });

  test('stores only digests of the compared values', async () => {
    const written: string[] = [];
    const unitOfWork = {
      run: async (work: (stores: never) => Promise<unknown>) =>
        work({
          announcements: { exchange: async (_: string, value: string) => void written.push(value) },
          outbox: { append: async () => {} },
        } as never),
    } as UnitOfWork;
    const announcer = createAnnouncer({ unitOfWork, logger: { warn: () => {} } });
    const members = new Map([['a', { secret: 'hush-hush' }]]);
    const event = () =>
      createEvent(
        'keys.changed',
        'keys',
        { added: [], changed: [], removed: [] },
        { clock: createManualClock() },
      );
    await announcer.announce({ topic: 'keys', members, event });
    expect(written).toEqual([expect.stringMatching(/^\[\["a","[\w-]{22}"\]\]$/)]);
  });
});
