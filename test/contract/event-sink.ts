import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { EventSink, PublishedEvent } from '../../provider/ports/event-sink.ts';
import { useFixture } from './fixture.ts';

export interface EventSinkFixture {
  sink: EventSink;
  /** Returns the ids of the events that arrived, in any order. A sink that drops all events by design omits it. */
  arrived?(): Promise<string[]>;
  /** Makes the sink's receiver give this answer for the events with these ids. */
  refuse?(ids: string[], outcome: 'failed' | 'rejected'): Promise<void>;
  /** Makes the receiver unreachable until `comeBack`. */
  goAway?(): Promise<void>;
  comeBack?(): Promise<void>;
  close(): Promise<void>;
}

/** An event like those that accounts write. */
export function someEvent(changes: Partial<PublishedEvent> = {}): PublishedEvent {
  const subject = newId('user');
  return {
    id: newId('evt'),
    type: 'user.login',
    version: 1,
    time: '2026-01-01T00:00:00.000Z',
    subject,
    sequence: 1,
    data: { id: subject, email: `${randomToken(8)}@example.com`, userAgent: 'Söme "agent"\n😀', ip: null },
    ...changes,
  };
}

const published = (events: PublishedEvent[]) => events.map(({ id }) => ({ id, outcome: 'published' }));
const ids = (events: PublishedEvent[]) => events.map(({ id }) => id);

/** Checks every sentence of `provider/ports/event-sink.ts` on the sink that `open` gives. */
export function eventSinkContract(name: string, open: () => Promise<EventSinkFixture>): void {
  describe(`${name} keeps the contract of EventSink`, () => {
    const current = useFixture(open);
    let fixture: EventSinkFixture;
    let sink: EventSink;
    beforeAll(() => {
      fixture = current();
      sink = fixture.sink;
    });

    const expectArrived = async (events: PublishedEvent[]) => {
      const arrived = (await fixture.arrived?.()) ?? ids(events);
      expect(arrived).toEqual(expect.arrayContaining(ids(events)));
    };
    const publish = async (events: PublishedEvent[]) => {
      const results = await sink.publish(events);
      // The results may be in any order, so sort them like the events.
      return ids(events).map((id) => results.filter((result) => result.id === id));
    };

    test('accepts an empty list', async () => {
      expect(await sink.publish([])).toEqual([]);
    });

    test.each([1, 2, 10, 11, 35])(
      'returns one result for each of %d events, and all arrive',
      async (count) => {
        const events = Array.from({ length: count }, () => someEvent());
        expect(await publish(events)).toEqual(published(events).map((result) => [result]));
        await expectArrived(events);
      },
    );

    test('accepts the same event again', async () => {
      const event = someEvent();
      expect(await sink.publish([event])).toEqual(published([event]));
      expect(await sink.publish([event])).toEqual(published([event]));
      await expectArrived([event]);
    });

    test('accepts parallel calls', async () => {
      const batches = Array.from({ length: 5 }, () => [someEvent(), someEvent()]);
      const results = await Promise.all(batches.map((events) => publish(events)));
      expect(results.flat(2)).toEqual(published(batches.flat()));
      await expectArrived(batches.flat());
    });

    test('distinguishes published, failed and rejected events', async () => {
      const [first, later, never, last] = [someEvent(), someEvent(), someEvent(), someEvent()];
      await fixture.refuse?.([later.id], 'failed');
      await fixture.refuse?.([never.id], 'rejected');
      const results = (await publish([first, later, never, last])).flat();
      const refused = (event: PublishedEvent, outcome: string) =>
        fixture.refuse ? { id: event.id, outcome, reason: expect.any(String) } : published([event])[0];
      expect(results).toEqual([
        ...published([first]),
        refused(later, 'failed'),
        refused(never, 'rejected'),
        ...published([last]),
      ]);
      await expectArrived([first, last]);
    });

    test('throws only if no event was delivered', async () => {
      const [before, lost, after] = [someEvent(), someEvent(), someEvent()];
      expect(await sink.publish([before])).toEqual(published([before]));
      await fixture.goAway?.();
      const outcome = await sink.publish([lost]).then(
        (results) => results.map((result) => result.outcome),
        () => 'threw',
      );
      // The sink may report an unreachable receiver by a throw or with an outcome for each event.
      expect(fixture.goAway ? ['threw', ['failed']] : [['published']]).toContainEqual(outcome);
      await fixture.comeBack?.();
      expect(await sink.publish([after])).toEqual(published([after]));
      await expectArrived([before, after]);
      if (fixture.goAway) expect(await fixture.arrived?.()).not.toContain(lost.id);
    });
  });
}
