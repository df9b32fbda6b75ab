import { afterEach, describe, expect, test } from '@jest/globals';
import { createEvent } from '../../provider/events/catalogue.ts';
import { createRelay, type Relay, type RelayDeps } from '../../provider/events/relay.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { noticeChanges } from '../../provider/revocation/change-notices.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { sampleSignIn } from '../contract/sign-in-history.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryEventSink } from '../support/memory/event-sink.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';
import { waitFor } from '../support/wait-for.ts';

const hour = 3_600_000;
const clock = systemClock;
const relays: Relay[] = [];

afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});

function createWorld(tuning: Partial<RelayDeps> = {}) {
  const database = new MemoryDatabase();
  const outbox = new MemoryOutbox({ database });
  const sink = new MemoryEventSink();
  let claims = 0;
  const counted = {
    claim: (...given: Parameters<typeof outbox.claim>) => {
      claims += 1;
      return outbox.claim(...given);
    },
    markPublished: outbox.markPublished.bind(outbox),
    markFailed: outbox.markFailed.bind(outbox),
  };
  const warnings: string[] = [];
  const logger = { warn: (_: object, message: string) => void warnings.push(message), error: () => {} };
  const relay = createRelay({ outbox: counted, sink, clock, logger, ...tuning });
  relays.push(relay);
  const event = (subject: string) =>
    createEvent('user.created', subject, { id: subject, email: 'x@example.com' }, { clock });
  return { database, outbox, sink, relay, warnings, event, claims: () => claims };
}

describe('the relay', () => {
  test('publishes all waiting events without a pause, in order', async () => {
    const { relay, outbox, sink, event } = createWorld({ batch: 3, minIdleMs: hour });
    const events = Array.from({ length: 20 }, () => event('user_a'));
    for (const each of events) await outbox.append(each);
    relay.start();
    await waitFor(() => sink.published.length === events.length);
    expect(sink.published).toEqual(
      events.map((event, at) => ({ ...event, time: new Date(event.time).toISOString(), sequence: at + 1 })),
    );
  });

  test('polls after a nudge, and no nudge is lost', async () => {
    const { relay, outbox, sink, event, claims } = createWorld({ minIdleMs: hour, maxIdleMs: hour });
    relay.start();
    await waitFor(() => claims() === 1);
    for (let n = 1; n <= 50; n += 1) {
      await outbox.append(event(`user_${n}`));
      relay.nudge();
      if (n % 7 === 0) await waitFor(() => sink.published.length === n);
    }
    await waitFor(() => sink.published.length === 50);
  });

  test('polls less often while there are no events', async () => {
    const { relay, claims } = createWorld({ minIdleMs: 1, maxIdleMs: hour });
    const start = performance.now();
    relay.start();
    await waitFor(() => claims() >= 7);
    // Between seven polls there are pauses of at least 0.75 times 1, 2, 4, 8, 16 and 32 ms.
    expect(performance.now() - start).toBeGreaterThanOrEqual(0.7 * 63);
  });

  test('continues when the outbox is reachable again', async () => {
    const { relay, outbox, sink, event, warnings } = createWorld({ minIdleMs: 1, maxIdleMs: 5 });
    const claim = outbox.claim.bind(outbox);
    outbox.claim = () => Promise.reject(new Error('down'));
    relay.start();
    await waitFor(() => warnings.length >= 3);
    outbox.claim = claim;
    await outbox.append(event('user_a'));
    await waitFor(() => sink.published.length === 1);
    expect(warnings[0]).toBe('outbox cannot be read, trying again');
  });

  test('continues when the sink is reachable again, and polls slowly until then', async () => {
    const retry = { baseMs: 1, maxMs: 2 };
    const { relay, outbox, sink, event, claims } = createWorld({ retry, minIdleMs: 1, maxIdleMs: 1000 });
    sink.goDown('no route to the bus');
    await outbox.append(event('user_a'));
    const start = performance.now();
    relay.start();
    await waitFor(() => claims() >= 6);
    expect(performance.now() - start).toBeGreaterThanOrEqual(0.7 * 31);
    sink.goDown();
    relay.nudge();
    await waitFor(() => sink.published.length === 1);
  });

  test('finishes the current batch when it is stopped, and begins no other', async () => {
    let publishing = 0;
    let finish = () => {};
    const sink = {
      publish: async (events: { id: string }[]) => {
        publishing += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return events.map(({ id }) => ({ id, outcome: 'published' as const }));
      },
    };
    const { relay, outbox, event } = createWorld({ sink, batch: 1 });
    await outbox.append(event('user_a'));
    await outbox.append(event('user_b'));
    relay.start();
    await waitFor(() => publishing === 1);
    let stopped = false;
    const stopping = relay.stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    finish();
    await stopping;
    expect(publishing).toBe(1);
    expect(await outbox.depth()).toMatchObject({ pending: 1 });
  });

  test('can start again after a stop; a second start makes no second loop', async () => {
    const { relay, outbox, sink, event, claims } = createWorld({ minIdleMs: hour });
    relay.start();
    relay.start();
    await waitFor(() => claims() >= 1);
    await relay.stop();
    await relay.stop();
    expect(claims()).toBe(1);
    await outbox.append(event('user_a'));
    relay.start();
    await waitFor(() => sink.published.length === 1);
  });
});

describe('the nudge after a commit', () => {
  test('happens when the event is visible, and only if there is one', async () => {
    const { database, outbox, event } = createWorld();
    const pending: Promise<number>[] = [];
    const nudge = () => void pending.push(outbox.depth().then((depth) => depth.pending));
    const unitOfWork = noticeChanges(new MemoryUnitOfWork({ database }), {
      clock: createManualClock(),
      denylist: { cacheEntries: async () => {} },
      eventCommitted: nudge,
    });
    await expect(
      unitOfWork.run(async ({ accounts }) => accounts.findById('user_a')),
    ).resolves.toBeUndefined();
    expect(pending).toHaveLength(0);
    await unitOfWork.run(({ outbox: inside }) => inside.append(event('user_a')));
    await expect(Promise.all(pending)).resolves.toEqual([1]);
    const broken = unitOfWork.run(async ({ outbox: inside }) => {
      await inside.append(event('user_b'));
      throw new Error('rolled back');
    });
    await expect(broken).rejects.toThrow('rolled back');
    expect(pending).toHaveLength(1);
  });

  test('happens after a sign-in that was recorded, and only then', async () => {
    const { database, event } = createWorld();
    let nudges = 0;
    const unitOfWork = noticeChanges(new MemoryUnitOfWork({ database }), {
      clock: createManualClock(),
      denylist: { cacheEntries: async () => {} },
      eventCommitted: () => {
        nudges += 1;
      },
    });
    const account = sampleAccount();
    const record = () =>
      unitOfWork.recordSignIn(account, event(account.id), sampleSignIn({ accountId: account.id }));
    expect(await record()).toBe(false);
    expect(nudges).toBe(0);
    await new MemoryAccountStore({ database }).insert(account);
    expect(await record()).toBe(true);
    expect(nudges).toBe(1);
  });
});
