import type { OutboxEvent } from './outbox.ts';

export type DeliveryResult =
  | { id: string; outcome: 'published' }
  /** Worth trying again. */
  | { id: string; outcome: 'failed'; reason: string }
  /** Will never be accepted (too large, malformed). */
  | { id: string; outcome: 'rejected'; reason: string };

/** Where events go. */
export interface EventSink {
  /** One result for each event, in any order. Throws only when nothing at all was delivered. */
  publish(events: OutboxEvent[]): Promise<DeliveryResult[]>;
}
