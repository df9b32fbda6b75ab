import { type GatehouseEvent, parseEvent } from '@gatehouse/verify/events';

/** An event from the queue. */
export interface ReceivedEvent {
  id: string;
  type: string;
  subject: string;
  sequence: number;
  /** Undefined for a type that only a later release of Gatehouse has. It counts in the sequence like all others. */
  event: GatehouseEvent | undefined;
  /** The message as it came. */
  body: string;
}

/** Reads a message that EventBridge sent. Throws if it has no event. */
export function readEvent(body: string): ReceivedEvent {
  const event = parseEvent(body);
  // `parseEvent` has checked these fields, also of an unknown type.
  const { id, type, subject, sequence } = JSON.parse(body).detail as ReceivedEvent;
  return { id, type, subject, sequence, event, body };
}
