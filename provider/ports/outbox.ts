/** A domain event, as it is published to other systems. */
export interface OutboxEvent {
  /** `evt_…`; the same in every delivery, so receivers can drop repeats. */
  id: string;
  /** `user.created`, `user.login`, … */
  type: string;
  /** Version of `data`'s shape. */
  version: number;
  /** Milliseconds since the epoch. */
  time: number;
  /** Events with the same subject keep their order. It is the account's id, for events of accounts. */
  subject: string;
  data: Record<string, unknown>;
}

export interface ClaimedEvent extends OutboxEvent {
  /** The number of attempts before. */
  attempts: number;
}

/**
 * Events are appended in the same transaction as the change (through a unit of work) and published later.
 *
 * Guarantees, on every implementation, across processes:
 * - an appended event is claimed again until it is marked published or set aside: at least once.
 * - no event is held by two claims at once; a claim expires after `leaseMs`, so no event is lost when a process is killed.
 * - only the oldest unpublished event of a subject is claimed, so each subject keeps its order. An event that was set
 *   aside doesn't block later ones.
 * - appending an event whose id is known changes nothing. Of any number of parallel calls with the same id, the first that
 *   commits is kept.
 */
export interface Outbox {
  append(event: OutboxEvent): Promise<void>;
  /** Gives the oldest due events, at most `limit`. */
  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]>;
  markPublished(ids: string[], at: number): Promise<void>;
  /** Ends the claim and makes the event due again at `retryAt`. When `retryAt` is undefined, the event is set aside and never tried again. */
  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<void>;
  /** Gives the number of unpublished events, the time of the oldest, and separately the number of events set aside. */
  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }>;
}
