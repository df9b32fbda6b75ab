import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { ClaimedEvent, Outbox, OutboxEvent } from '../../provider/ports/outbox.ts';
import { useStores } from './fixture.ts';

export interface OutboxFixture {
  /** The store under test. It is empty at first. */
  store: Outbox;
  /** A second store over the same data, with its own connection. */
  another?(): Outbox | Promise<Outbox>;
  close(): Promise<void>;
}

const now = Date.UTC(2026, 0, 1);
const leaseMs = 30_000;
const ids = (events: ClaimedEvent[]) => events.map(({ id }) => id);

export function sampleEvent(changes: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    id: newId('evt'),
    type: 'user.login',
    version: 1,
    time: now,
    subject: newId('user'),
    data: { id: 'user_1', nested: { list: [1, null, 'ü'] } },
    ...changes,
  };
}

/** Checks every sentence of `provider/ports/outbox.ts` on the store that `open` gives. */
export function outboxContract(name: string, open: () => Promise<OutboxFixture>): void {
  describe(`${name} keeps the contract of Outbox`, () => {
    let store: Outbox;
    let other: Outbox;

    // Claims and counts cover the whole outbox, so each test has its own outbox.
    useStores(
      open,
      (fixture, second) => {
        store = fixture.store;
        other = second;
      },
      'test',
    );

    const appended = async (changes: Partial<OutboxEvent> = {}): Promise<OutboxEvent> => {
      const event = sampleEvent(changes);
      await store.append(event);
      return event;
    };

    test('a claimed event equals the appended event', async () => {
      const event = await appended({ data: { agent: 'a\0b \\ " ?', ['__proto__']: null } });
      expect(await other.claim(10, now, leaseMs)).toEqual([{ ...event, attempts: 0, sequence: 1 }]);
    });

    test('an event that is appended again, published or not, is claimed once in its first version', async () => {
      const event = sampleEvent({ data: { told: 'first' } });
      await store.append(event);
      const again = { ...event, time: now + 1, data: { told: 'again' } };
      await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? store : other).append(again)));
      expect(await other.claim(10, now, leaseMs)).toEqual([{ ...event, attempts: 0, sequence: 1 }]);
      await store.markPublished([event.id], now);
      await other.append(again);
      expect(await store.claim(10, now + 2 * leaseMs, leaseMs)).toEqual([]);
    });

    test('claim returns the oldest events first, and at most the given number', async () => {
      const events: OutboxEvent[] = [];
      for (let index = 0; index < 5; index++) events.push(await appended());
      expect(ids(await store.claim(3, now, leaseMs))).toEqual(events.slice(0, 3).map(({ id }) => id));
      expect(ids(await store.claim(3, now, leaseMs))).toEqual(events.slice(3).map(({ id }) => id));
      expect(await store.claim(3, now, leaseMs)).toEqual([]);
    });

    test('a claim holds until it expires, then the event can be claimed again', async () => {
      const event = await appended();
      await store.claim(10, now, leaseMs);
      expect(await other.claim(10, now + leaseMs - 1, leaseMs)).toEqual([]);
      expect(ids(await other.claim(10, now + leaseMs, leaseMs))).toEqual([event.id]);
      expect(await store.claim(10, now + leaseMs, leaseMs)).toEqual([]);
    });

    test('20 parallel claims return each event exactly once', async () => {
      const events: OutboxEvent[] = [];
      for (let index = 0; index < 40; index++) events.push(await appended());
      const held: string[] = [];
      // A claim may skip rows that another claim has locked, so repeat until nothing is left.
      while (held.length < events.length) {
        const claims = await Promise.all(
          Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).claim(3, now, leaseMs)),
        );
        const found = claims.flatMap(ids);
        expect(claims.every((claim) => claim.length <= 3)).toBe(true);
        expect(found.length).toBeGreaterThan(0);
        held.push(...found);
      }
      expect(held.sort()).toEqual(events.map(({ id }) => id).sort());
    });

    test('only the oldest unpublished event of a subject can be claimed', async () => {
      const [first, second] = [await appended({ subject: 'user_a' }), await appended({ subject: 'user_a' })];
      const elsewhere = await appended({ subject: 'user_b' });
      expect(ids(await store.claim(10, now, leaseMs))).toEqual([first.id, elsewhere.id]);
      expect(await other.claim(10, now, leaseMs)).toEqual([]);
      await store.markPublished([first.id], now);
      expect(ids(await store.claim(10, now, leaseMs))).toEqual([second.id]);
    });

    test('order is kept while an event is retried', async () => {
      const [first, second] = [await appended({ subject: 'user_a' }), await appended({ subject: 'user_a' })];
      await store.claim(10, now, leaseMs);
      await store.markFailed(first.id, 'bus is down', now + 5_000);
      expect(await store.claim(10, now + 4_999, leaseMs)).toEqual([]);
      expect(await store.claim(10, now + 5_000, leaseMs)).toEqual([{ ...first, attempts: 1, sequence: 1 }]);
      await store.markFailed(first.id, 'bus is down', now + 9_000);
      expect(await store.claim(10, now + 9_000, leaseMs)).toEqual([{ ...first, attempts: 2, sequence: 1 }]);
      await store.markPublished([first.id], now + 9_000);
      expect(ids(await store.claim(10, now + 9_000, leaseMs))).toEqual([second.id]);
    });

    test('order of a subject is kept with 8 parallel relays', async () => {
      const order: string[] = [];
      for (let index = 0; index < 12; index++) order.push((await appended({ subject: 'user_a' })).id);
      const published: string[] = [];
      const relay = async (outbox: Outbox) => {
        while (published.length < order.length) {
          for (const { id, sequence } of await outbox.claim(5, now, leaseMs)) {
            published.push(id);
            expect(sequence).toBe(published.length);
            await outbox.markPublished([id], now);
          }
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, index) => relay(index % 2 === 0 ? store : other)));
      expect(published).toEqual(order);
    });

    test('each subject counts its events without a gap, and a repeated delivery has the same number', async () => {
      const subjects = ['user_a', 'user_b', 'user_a', 'user_a', 'user_b'];
      for (const subject of subjects) await appended({ subject });
      const seen: Record<string, number[]> = { user_a: [], user_b: [] };
      for (let at = now; ; at += leaseMs) {
        const first = await store.claim(10, at, leaseMs);
        if (first.length === 0) break;
        const again = await other.claim(10, at + leaseMs, leaseMs);
        const numbers = (events: ClaimedEvent[]) => events.map(({ id, sequence }) => [id, sequence]);
        expect(numbers(again)).toEqual(numbers(first));
        for (const { subject, sequence } of again) seen[subject]?.push(sequence);
        await store.markPublished(ids(again), at);
        at += leaseMs;
      }
      expect(seen).toEqual({ user_a: [1, 2, 3], user_b: [1, 2] });
    });

    test('an event that was set aside keeps its number, and the next event has the next', async () => {
      const [poison, next] = [await appended({ subject: 'user_a' }), await appended({ subject: 'user_a' })];
      await store.claim(10, now, leaseMs);
      await store.markFailed(poison.id, 'too large', undefined);
      expect(await store.claim(10, now, leaseMs)).toEqual([{ ...next, attempts: 0, sequence: 2 }]);
    });

    test('a published event is never claimed again', async () => {
      const events = [await appended(), await appended()];
      await store.claim(10, now, leaseMs);
      await store.markPublished(
        events.map(({ id }) => id),
        now,
      );
      await store.markPublished([], now);
      await store.markFailed(events[0]?.id ?? '', 'too late', now);
      expect(await store.claim(10, now + 2 * leaseMs, leaseMs)).toEqual([]);
      expect(await store.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
    });

    test('an event that was set aside is never claimed again and does not block other events', async () => {
      const [poison, next] = [await appended({ subject: 'user_a' }), await appended({ subject: 'user_a' })];
      await store.claim(10, now, leaseMs);
      await store.markFailed(poison.id, 'too large \0', undefined);
      expect(ids(await other.claim(10, now + 2 * leaseMs, leaseMs))).toEqual([next.id]);
      expect(await store.depth()).toMatchObject({ pending: 1, setAside: 1 });
    });

    describe('events that were set aside', () => {
      const setAside = async (changes: Partial<OutboxEvent> = {}) => {
        const event = await appended(changes);
        await store.claim(10, now, leaseMs);
        await store.markFailed(event.id, 'too large \0', undefined);
        return event;
      };

      test('are listed with their reason and without their data, the oldest first', async () => {
        const [first, second] = [await setAside(), await setAside()];
        await appended();
        const shown = ({ data: _, ...event }: OutboxEvent) => {
          return { ...event, sequence: 1, attempts: 1, reason: 'too large ' };
        };
        expect(await other.setAside(10)).toEqual([shown(first), shown(second)]);
        expect(await other.setAside(1)).toEqual([shown(first)]);
      });

      test('are due again after a retry, at once, with the same number and as if they were new', async () => {
        const [one, two] = [await setAside({ subject: 'user_a' }), await setAside({ subject: 'user_b' })];
        const later = await appended({ subject: 'user_a' });
        await store.claim(10, now, leaseMs);
        await store.markPublished([later.id], now);
        expect(await other.retry([one.id, later.id, 'evt_unknown'])).toEqual([one.id]);
        expect(await store.claim(10, now, leaseMs)).toEqual([{ ...one, attempts: 0, sequence: 1 }]);
        expect(await other.setAside(10)).toMatchObject([{ id: two.id }]);
        expect(await store.depth()).toMatchObject({ pending: 1, setAside: 1 });
      });

      test('are all due again after a retry without ids', async () => {
        const events = [await setAside(), await setAside()];
        const pending = await appended();
        await store.claim(10, now, leaseMs);
        await store.markFailed(pending.id, 'bus is down', now + 5_000);
        expect((await store.retry(undefined)).sort()).toEqual(events.map(({ id }) => id).sort());
        expect(ids(await store.claim(10, now, leaseMs)).sort()).toEqual(events.map(({ id }) => id).sort());
        expect(await store.retry(undefined)).toEqual([]);
      });
    });

    test('depth returns the number of waiting events and the age of the oldest one', async () => {
      expect(await store.depth()).toEqual({ pending: 0, oldest: undefined, setAside: 0 });
      const [old] = [await appended({ time: now - 5_000 }), await appended({ time: now })];
      expect(await store.depth()).toEqual({ pending: 2, oldest: now - 5_000, setAside: 0 });
      await store.claim(1, now, leaseMs);
      expect((await store.depth()).pending).toBe(2);
      await store.markPublished([old.id], now);
      expect(await store.depth()).toEqual({ pending: 1, oldest: now, setAside: 0 });
    });
  });
}
