import { afterEach, expect, test } from '@jest/globals';
import { composeJobs, type Jobs } from '../../provider/compose/compose-jobs.ts';
import { createEvent } from '../../provider/events/catalogue.ts';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { parseKeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet } from '../../provider/keys/rotation.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import type { Leases } from '../../provider/ports/leases.ts';
import type { Outbox } from '../../provider/ports/outbox.ts';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryEventSink } from '../support/memory/event-sink.ts';
import { MemoryKeyStore } from '../support/memory/key-store.ts';
import { MemoryLogouts } from '../support/memory/logouts.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';
import { waitFor } from '../support/wait-for.ts';

const hour = 3_600_000;
const started: Jobs[] = [];
afterEach(async () => {
  for (const { component } of started.splice(0)) await component.stop?.();
});

function createWorld() {
  const memory = new MemoryOutbox();
  const claims = { ended: 0 };
  const outbox: Outbox = {
    append: (event) => memory.append(event),
    claim: async (...given) => {
      const claimed = await memory.claim(...given);
      claims.ended += 1;
      return claimed;
    },
    markPublished: (...given) => memory.markPublished(...given),
    markFailed: (...given) => memory.markFailed(...given),
    depth: () => memory.depth(),
    setAside: (limit) => memory.setAside(limit),
    retry: (ids) => memory.retry(ids),
  };
  /** The leader looks for events when it starts, and again when it listens. Then it waits for a signal. */
  const leaderWaits = () => waitFor(() => claims.ended === 2);
  const sink = new MemoryEventSink();
  const held = { holder: undefined as string | undefined, asks: 0, available: true };
  const leases: Leases = {
    hold: async (_, holder) => {
      held.asks += 1;
      if (!held.available) throw new Error('the store is away');
      held.holder ??= holder;
      return held.holder === holder;
    },
    release: async (_, holder) => {
      if (held.holder === holder) held.holder = undefined;
    },
  };
  const listeners = new Set<() => void>();
  const signals = { sent: 0 };
  const wakeUp: WakeUp = {
    notify: async () => {
      signals.sent += 1;
      for (const woken of listeners) woken();
    },
    listen: (woken) => {
      listeners.add(woken);
      // As the real one does when it is connected.
      setImmediate(woken);
      return { arrives: () => true, stop: async () => void listeners.delete(woken) };
    },
  };
  const database = new MemoryDatabase();
  const logouts = new MemoryLogouts({ database });
  const unitOfWork = new MemoryUnitOfWork({ database });
  const ports = { outbox, logouts, unitOfWork, eventSink: sink, expired: [], leases, wakeUp };
  const keys = new MemoryKeyStore();
  const keyRotation = {
    store: keys,
    everyDays: 1,
    times: { tokenSeconds: 900, leadSeconds: 10, keptSeconds: 900 },
  };
  const start = async (takesPart = true): Promise<Jobs> => {
    const jobs = composeJobs({
      ports,
      clock,
      logger: createLogger({ level: 'error' }),
      metrics: createMetrics({ version: '0', runtime: false }),
      takesPart,
      keyRotation,
      // A poll finds nothing in time: only a signal or a call leads to a publication.
      pauses: { minIdleMs: hour, maxIdleMs: hour },
      leaseMs: 30,
    });
    started.push(jobs);
    await jobs.component.start?.();
    return jobs;
  };
  const append = () =>
    outbox.append(createEvent('user.created', 'user_a', { id: 'user_a', email: 'x@example.com' }, { clock }));
  return { start, append, sink, held, keys, listeners, signals, leaderWaits };
}

test('an event that another process wrote wakes the leader', async () => {
  const { start, append, sink, leaderWaits, signals } = createWorld();
  await start();
  await leaderWaits();
  const server = await start(false);
  await append();
  for (let call = 0; call < 10; call += 1) server.eventCommitted();
  await waitFor(() => sink.published.length === 1);
  expect(signals.sent).toBe(1);
});

test('an event that the leader wrote is published without a signal', async () => {
  const { start, append, sink, leaderWaits, signals } = createWorld();
  const leader = await start();
  await leaderWaits();
  await append();
  leader.eventCommitted();
  await waitFor(() => sink.published.length === 1);
  expect(signals.sent).toBe(0);
});

test('of three processes, one does the jobs; when it stops, another takes over at once', async () => {
  const { start, append, sink, listeners, held } = createWorld();
  const [first] = [await start(), await start(), await start()];
  await waitFor(() => held.asks > 9);
  expect(listeners.size).toBe(1);
  await first?.component.stop?.();
  await waitFor(() => listeners.size === 1);
  await append();
  for (const jobs of started) jobs.eventCommitted();
  await waitFor(() => sink.published.length === 1);
});

test('a leader that lost its lease stops, and leads again later', async () => {
  const { start, listeners, held } = createWorld();
  await start();
  await waitFor(() => listeners.size === 1);
  const own = held.holder;
  held.holder = 'another process';
  await waitFor(() => listeners.size === 0);
  held.holder = own;
  await waitFor(() => listeners.size === 1);
});

test('a leader continues while the leases cannot be read', async () => {
  const { start, append, sink, listeners, held } = createWorld();
  const leader = await start();
  await waitFor(() => listeners.size === 1);
  held.available = false;
  const { asks } = held;
  await waitFor(() => held.asks > asks + 3);
  await append();
  leader.eventCommitted();
  await waitFor(() => sink.published.length === 1);
});

test('the leader alone adds the next signing key when the newest one is old', async () => {
  const { start, keys, leaderWaits } = createWorld();
  const key = await generateKey();
  await keys.save(serializeKeySet(firstKeySet(key, clock.now() - 25 * hour)), undefined);
  const stored = async () => parseKeySet((await keys.load())?.value ?? '').keys;
  await start(false);
  expect(await stored()).toHaveLength(1);
  await start();
  await leaderWaits();
  await waitFor(async () => (await stored()).length === 2);
});
