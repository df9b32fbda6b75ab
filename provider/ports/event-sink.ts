import type { SequencedEvent } from './outbox.ts';

export type DeliveryResult =
  | { id: string; outcome: 'published' }
  /** A later attempt may succeed. */
  | { id: string; outcome: 'failed'; reason: string }
  /** The event will never be accepted: it is too large or malformed. */
  | { id: string; outcome: 'rejected'; reason: string };

/** An event as receivers get it. Sinks send it as JSON, with its members in the same order. */
export interface PublishedEvent extends Omit<SequencedEvent, 'time'> {
  /** In ISO 8601. */
  time: string;
}

/** The destination of events. */
export interface EventSink {
  /** Gives one result for each event, in any order. Throws only when no event was delivered. */
  publish(events: PublishedEvent[]): Promise<DeliveryResult[]>;
}
