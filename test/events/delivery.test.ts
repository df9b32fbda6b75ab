import { describe, expect, test } from '@jest/globals';
import { createEvent } from '../../provider/events/catalogue.ts';
import { createRelay, type RelayDeps } from '../../provider/events/relay.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryEventSink } from '../support/memory/event-sink.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';

function createWorld(tuning: Partial<RelayDeps> = {}) {
  const clock = createManualClock();
  const outbox = new MemoryOutbox();
  const sink = new MemoryEventSink();
  const logged: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void logged.push({ level, fields, message });
  const counts = { published: 0, failed: 0, set_aside: 0 };
  const lags: number[] = [];
  const metrics = {
    events: (outcome: keyof typeof counts, count: number) => {
      counts[outcome] += count;
    },
    lag: (seconds: number) => void lags.push(seconds),
  };
  const logger = { warn: at('warn'), error: at('error') };
  const relay = createRelay({ outbox, sink, clock, logger, metrics, ...tuning });
  const append = async (subject: string, id: string) =>
    outbox.append(
      createEvent('user.created', subject, { id: subject, email: 'x@example.com' }, { clock, id }),
    );
  const published = () => sink.published.map(({ id }) => id);
  return { clock, outbox, sink, relay, append, published, logged, counts, lags };
}

const minute = 60_000;

describe('one batch', () => {
  test('is published, marked and counted', async () => {
    const { relay, append, published, outbox, clock, counts, lags, sink } = createWorld();
    await append('user_a', 'evt_1');
    clock.advance(1500);
    await append('user_b', 'evt_2');
    await expect(relay.runOnce()).resolves.toEqual({ claimed: 2, published: 2, failed: 0, setAside: 0 });
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 0 });
    expect(published()).toEqual(['evt_1', 'evt_2']);
    expect(sink.published[0]).not.toHaveProperty('attempts');
    expect(counts).toEqual({ published: 2, failed: 0, set_aside: 0 });
    expect(lags).toEqual([1.5]);
    expect(await outbox.depth()).toMatchObject({ pending: 0, setAside: 0 });
  });

  test('has at most the configured size', async () => {
    const { relay, append } = createWorld({ batch: 2 });
    for (const n of [1, 2, 3]) await append(`user_${n}`, `evt_${n}`);
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 2 });
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 1 });
  });

  test('keeps the order of each subject, also if an event fails', async () => {
    const { relay, append, published, sink, clock } = createWorld();
    await append('user_a', 'evt_a1');
    await append('user_a', 'evt_a2');
    await append('user_b', 'evt_b1');
    sink.decide(({ id }) => (id === 'evt_a1' ? 'failed' : 'published'));
    await relay.runOnce();
    await relay.runOnce();
    expect(published()).toEqual(['evt_b1']);
    sink.decide(() => 'published');
    clock.advance(minute);
    await relay.runOnce();
    await relay.runOnce();
    expect(published()).toEqual(['evt_b1', 'evt_a1', 'evt_a2']);
  });
});

describe('a failed event', () => {
  test('is retried after growing delays, each time with the same id', async () => {
    const { relay, append, published, sink, clock } = createWorld({ retry: { baseMs: 1000, maxMs: 8000 } });
    await append('user_a', 'evt_1');
    const tries: number[] = [];
    sink.decide(() => {
      tries.push(clock.now());
      return 'failed';
    });
    for (let round = 0; round < 5000 && tries.length < 7; round += 1) {
      await relay.runOnce();
      clock.advance(10);
    }
    expect(tries).toHaveLength(7);
    const gaps = tries.slice(1).map((at, i) => at - (tries[i] ?? 0));
    for (const [i, gap] of gaps.entries()) {
      const full = Math.min(8000, 1000 * 2 ** i);
      expect(gap).toBeGreaterThanOrEqual(full / 2);
      expect(gap).toBeLessThanOrEqual(full + 10);
    }
    sink.decide(() => 'published');
    clock.advance(minute);
    await relay.runOnce();
    expect(published()).toEqual(['evt_1']);
  });

  test('is retried if the sink gives no result', async () => {
    const { relay, append, logged, outbox } = createWorld({ sink: { publish: async () => [] } });
    await append('user_a', 'evt_1');
    await expect(relay.runOnce()).resolves.toMatchObject({ failed: 1 });
    expect(logged).toMatchObject([
      { level: 'warn', fields: { events: 1, reason: 'the sink gave no result' } },
    ]);
    expect(await outbox.depth()).toMatchObject({ pending: 1 });
  });

  test('is published by another process if the first process dies', async () => {
    const { relay, append, published, outbox, clock } = createWorld({ leaseMs: 30_000 });
    await append('user_a', 'evt_1');
    await outbox.claim(10, clock.now(), 30_000);
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 0 });
    clock.advance(30_000);
    await relay.runOnce();
    expect(published()).toEqual(['evt_1']);
  });
});

describe('an event that cannot be delivered', () => {
  test('is set aside and logged if the sink rejects it, and does not block other events', async () => {
    const { relay, append, published, sink, logged, counts, outbox } = createWorld();
    await append('user_a', 'evt_bad');
    await append('user_a', 'evt_a2');
    await append('user_b', 'evt_b1');
    sink.decide(({ id }) => (id === 'evt_bad' ? 'rejected' : 'published'));
    await expect(relay.runOnce()).resolves.toEqual({ claimed: 2, published: 1, failed: 0, setAside: 1 });
    await relay.runOnce();
    expect(published()).toEqual(['evt_b1', 'evt_a2']);
    expect(counts).toEqual({ published: 2, failed: 0, set_aside: 1 });
    expect(await outbox.depth()).toMatchObject({ pending: 0, setAside: 1 });
    expect(logged).toMatchObject([
      {
        level: 'error',
        message: 'event set aside',
        fields: { eventId: 'evt_bad', type: 'user.created', subject: 'user_a', attempts: 1 },
      },
    ]);
  });

  test('is set aside if it fails repeatedly while other events succeed', async () => {
    const { relay, append, published, sink, clock, outbox } = createWorld({ maxAttempts: 3 });
    sink.decide(({ id }) => (id === 'evt_bad' ? 'failed' : 'published'));
    await append('user_bad', 'evt_bad');
    for (const n of [1, 2, 3]) {
      expect(await outbox.depth()).toMatchObject({ pending: 1, setAside: 0 });
      await append(`user_${n}`, `evt_${n}`);
      await relay.runOnce();
      clock.advance(minute);
    }
    expect(published()).toEqual(['evt_1', 'evt_2', 'evt_3']);
    expect(await outbox.depth()).toMatchObject({ pending: 0, setAside: 1 });
  });
});

test.each(['throws', 'fails each event'])('no event is set aside while the sink %s', async (how) => {
  const { relay, append, published, sink, clock, outbox } = createWorld({ maxAttempts: 3 });
  await append('user_z', 'evt_first');
  await relay.runOnce();
  for (const n of [1, 2, 3]) await append(`user_${n}`, `evt_${n}`);
  clock.advance(10 * minute);
  if (how === 'throws') sink.goDown('no route to the bus');
  else sink.decide(() => 'failed');
  for (let round = 0; round < 20; round += 1) {
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 3, failed: 3 });
    clock.advance(10 * minute);
  }
  expect(await outbox.depth()).toMatchObject({ pending: 3, setAside: 0 });
  sink.goDown();
  sink.decide(() => 'published');
  await relay.runOnce();
  expect(published()).toEqual(['evt_first', 'evt_1', 'evt_2', 'evt_3']);
});

test('nothing is set aside because the clock was set back after the last one got through', async () => {
  const { relay, append, sink, clock, outbox } = createWorld({ maxAttempts: 3 });
  await append('user_z', 'evt_first');
  await relay.runOnce();
  clock.advance(-600 * minute);
  await append('user_1', 'evt_1');
  sink.decide(() => 'failed');
  for (let round = 0; round < 5; round += 1) {
    await expect(relay.runOnce()).resolves.toMatchObject({ failed: 1 });
    clock.advance(10 * minute);
  }
  expect(await outbox.depth()).toMatchObject({ pending: 1, setAside: 0 });
});
