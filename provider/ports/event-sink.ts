import type { SequencedEvent } from './outbox.ts';

export type DeliveryResult =
  | { id: string; outcome: 'published' }
  /** A later attempt may succeed. */
  | { id: string; outcome: 'failed'; reason: string }
  /** The event will never be accepted: it is too large or malformed. */
  | { id: string; outcome: 'rejected'; reason: string };

/** The JSON of an event, the same at every sink. `time` is in ISO 8601. */
export function eventJson({ id, type, time, version, subject, sequence, data }: SequencedEvent): string {
  return JSON.stringify({ id, type, time: new Date(time).toISOString(), version, subject, sequence, data });
}

/** The destination of events. */
export interface EventSink {
  /** Gives one result for each event, in any order. Throws only when no event was delivered. */
  publish(events: SequencedEvent[]): Promise<DeliveryResult[]>;
}
