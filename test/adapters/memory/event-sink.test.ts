import { expect, test } from '@jest/globals';
import { eventSinkContract, someEvent } from '../../contract/event-sink.ts';
import { MemoryEventSink } from '../../support/memory/event-sink.ts';

eventSinkContract('MemoryEventSink', async () => {
  const sink = new MemoryEventSink();
  const refused = new Map<string, 'failed' | 'rejected'>();
  sink.decide((event) => refused.get(event.id) ?? 'published');
  return {
    sink,
    arrived: async () => sink.published.map(({ id }) => id),
    refuse: async (ids, outcome) => ids.forEach((id) => void refused.set(id, outcome)),
    goAway: async () => sink.goDown('gone'),
    comeBack: async () => sink.goDown(undefined),
    close: async () => {},
  };
});

test('a later change of an event does not change the published copy', async () => {
  const sink = new MemoryEventSink();
  const event = someEvent();
  await sink.publish([event]);
  const asPublished = structuredClone(event);
  event.data.email = 'changed@example.com';
  expect(sink.published).toEqual([asPublished]);
});
