import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { DeliveryResult, EventSink, PublishedEvent } from '../ports/event-sink.ts';
import type { ClaimedEvent, Outbox } from '../ports/outbox.ts';
import { createPollingLoop, type PollingLoop } from './polling-loop.ts';

type Tuning = Pick<DeliveryOptions, 'batch' | 'leaseMs' | 'retry' | 'maxAttempts'> & {
  /** The first pause when there is nothing to publish. */
  minIdleMs: number;
  /** The longest pause: an idle process makes one query in this many milliseconds. */
  maxIdleMs: number | (() => number);
};

const defaults: Tuning = {
  batch: 50,
  leaseMs: 60_000,
  retry: { baseMs: 1000, maxMs: 300_000 },
  maxAttempts: 50,
  minIdleMs: 250,
  maxIdleMs: 10_000,
};

export type RelayDeps = Omit<DeliveryOptions, keyof Tuning> &
  Partial<Tuning> & {
    /** Called by `nudge` while this relay does not run, to wake the process in which one runs. */
    wakeOther?: () => void;
  };

export interface Relay extends PollingLoop {
  /** Publishes one batch. Throws when the outbox can't be reached. */
  runOnce(): Promise<Delivered>;
}

/**
 * Publishes the events in the outbox at least once, and in order for each subject. Any number of processes may run a
 * relay. Pauses become longer after a pass that publishes nothing, and after a pass that finds nothing.
 */
export function createRelay(deps: RelayDeps): Relay {
  const options = { ...defaults, ...deps };
  const runOnce = createDelivery(options);
  const loop = createPollingLoop({
    step: async () => {
      const { published, setAside } = await runOnce();
      return published + setAside > 0;
    },
    failed: (error) => deps.logger.warn({ err: error }, 'outbox cannot be read, trying again'),
    minIdleMs: options.minIdleMs,
    maxIdleMs: options.maxIdleMs,
  });
  const nudge = () => (loop.runs() ? loop.nudge() : deps.wakeOther?.());
  return { ...loop, nudge, runOnce };
}

export interface DeliveryMetrics {
  events(outcome: 'published' | 'failed' | 'set_aside', count: number): void;
  /** The age of the oldest event of a batch at the time of the claim. */
  lag(seconds: number): void;
}

export interface DeliveryOptions {
  outbox: Pick<Outbox, 'claim' | 'markPublished' | 'markFailed'>;
  sink: EventSink;
  clock: Clock;
  logger: Pick<Logger, 'warn' | 'error'>;
  metrics?: DeliveryMetrics | undefined;
  batch: number;
  /**
   * The duration of a claim in milliseconds. It must be longer than any call of the sink. Otherwise another process
   * publishes the same events again.
   */
  leaseMs: number;
  retry: RetryPolicy;
  /** An event is set aside after this many failures, if other events were published in the same period. */
  maxAttempts: number;
}

/** The results of one batch. */
export interface Delivered {
  claimed: number;
  published: number;
  failed: number;
  setAside: number;
}

/**
 * Publishes one batch of due events and records the result of each. Throws only when the outbox can't be reached. Then
 * events that were already published are published again when their claim expires.
 *
 * An event is set aside when the sink rejects it, or when it failed `maxAttempts` times while other events were
 * published. While no event can be published, a failed event is tried again, because the event is not the cause.
 */
export function createDelivery(options: DeliveryOptions): () => Promise<Delivered> {
  const { outbox, sink, clock, logger, metrics, retry, maxAttempts } = options;
  let lastPublishedAt = Number.NEGATIVE_INFINITY;

  /** False when the clock was set back: then nothing is known about the time since. */
  const othersArePublished = () => {
    const age = clock.now() - lastPublishedAt;
    return age >= 0 && age <= retry.maxMs;
  };
  const isPoisoned = (event: ClaimedEvent, result: Failure) =>
    result.outcome === 'rejected' || (event.attempts + 1 >= maxAttempts && othersArePublished());

  const fail = async (event: ClaimedEvent, result: Failure): Promise<boolean> => {
    const setAside = isPoisoned(event, result);
    const retryAt = clock.now() + retryDelayMs(event.attempts, retry);
    const reason = result.reason.slice(0, 500);
    await outbox.markFailed(event.id, reason, setAside ? undefined : retryAt);
    const fields = { eventId: event.id, type: event.type, subject: event.subject, reason };
    if (setAside) logger.error({ ...fields, attempts: event.attempts + 1 }, 'event set aside');
    return setAside;
  };

  return async () => {
    const events = await outbox.claim(options.batch, clock.now(), options.leaseMs);
    if (events.length === 0) return { claimed: 0, published: 0, failed: 0, setAside: 0 };
    metrics?.lag((clock.now() - Math.min(...events.map(({ time }) => time))) / 1000);

    const { published, failures } = sorted(events, await publish(sink, events));
    if (published.length > 0) {
      lastPublishedAt = clock.now();
      await outbox.markPublished(published, lastPublishedAt);
    }
    let setAside = 0;
    for (const { event, result } of failures) if (await fail(event, result)) setAside += 1;

    const failed = failures.length - setAside;
    if (failed > 0)
      logger.warn({ events: failed, reason: failures[0]?.result.reason }, 'events not published');
    metrics?.events('published', published.length);
    metrics?.events('failed', failed);
    metrics?.events('set_aside', setAside);
    return { claimed: events.length, published: published.length, failed, setAside };
  };
}

type Failure = Exclude<DeliveryResult, { outcome: 'published' }>;

async function publish(sink: EventSink, events: ClaimedEvent[]): Promise<DeliveryResult[]> {
  try {
    return await sink.publish(events.map(toPublished));
  } catch (error) {
    return events.map(({ id }) => ({ id, outcome: 'failed', reason: reasonOf(error) }));
  }
}

/** The order of the members is that of the JSON. Receivers don't need the number of attempts. */
const toPublished = ({ id, type, time, version, subject, sequence, data }: ClaimedEvent): PublishedEvent => ({
  id,
  type,
  time: new Date(time).toISOString(),
  version,
  subject,
  sequence,
  data,
});

/** An event without a result counts as failed, because delivering it twice is better than not delivering it. */
function sorted(events: ClaimedEvent[], results: DeliveryResult[]) {
  const byId = new Map(results.map((result) => [result.id, result]));
  const published: string[] = [];
  const failures: { event: ClaimedEvent; result: Failure }[] = [];
  for (const event of events) {
    const result = byId.get(event.id) ?? {
      id: event.id,
      outcome: 'failed',
      reason: 'the sink gave no result',
    };
    if (result.outcome === 'published') published.push(event.id);
    else failures.push({ event, result });
  }
  return { published, failures };
}

/** Why a delivery failed that threw. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export interface RetryPolicy {
  baseMs: number;
  maxMs: number;
}

/**
 * Gives the milliseconds until the next attempt for an event, after this number of earlier attempts. The delay doubles
 * up to `maxMs`. Half of it is jitter, so that events that failed together are not retried together.
 */
export function retryDelayMs(
  attempts: number,
  { baseMs, maxMs }: RetryPolicy,
  random: () => number = Math.random,
): number {
  const full = Math.min(maxMs, baseMs * 2 ** attempts);
  return Math.round(full * (0.5 + random() / 2));
}
