/** Something that happened, as it is told to others. */
export interface OutboxEvent {
  /** `evt_…`; stable over every retry, so receivers can drop repeats. */
  id: string;
  /** `user.created`, `user.login`, … */
  type: string;
  /** Version of `data`'s shape. */
  version: number;
  /** Milliseconds since the epoch. */
  time: number;
  /** Whose events are kept in order: the account's id. */
  subject: string;
  data: Record<string, unknown>;
}

export interface ClaimedEvent extends OutboxEvent {
  /** How often it was tried before. */
  attempts: number;
}

/**
 * Events are appended in the transaction they tell of (through a unit of work) and published later.
 *
 * Guarantees, on every implementation, across processes:
 * - an appended event is claimed again until it is marked published or set aside: at least once.
 * - no event is held by two claims at once; a claim lapses after `leaseMs`, so a killed process loses nothing.
 * - of one subject only the oldest unpublished event is handed out: order per subject. One that was set aside
 *   doesn't hold up its successors.
 * - one that is appended again, which its id tells, changes nothing: of any number of parallel calls the first that stands
 *   is the one that is told.
 */
export interface Outbox {
  append(event: OutboxEvent): Promise<void>;
  /** The oldest due events, at most `limit`. */
  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]>;
  markPublished(ids: string[], at: number): Promise<void>;
  /** Gives the event back, due again at `retryAt`; or sets it aside for good when `retryAt` is undefined. */
  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<void>;
  /** Unpublished events and the time of the oldest; those set aside apart. */
  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }>;
}
