import type { RecentSignIn } from './sign-in-history.ts';

/** A domain event, as it is published to other systems. */
export interface OutboxEvent {
  /** `evt_…`; the same in every delivery, so receivers can ignore repeats. */
  id: string;
  /** `user.created`, `user.login`, … */
  type: string;
  /** The version of the format of `data`. */
  version: number;
  /** Milliseconds since the epoch. */
  time: number;
  /** Events with the same subject stay in order. For events of accounts, it is the account's id. */
  subject: string;
  data: Record<string, unknown>;
}

/** An event with its place among the events of its subject. */
export interface SequencedEvent extends OutboxEvent {
  /**
   * 1, 2, 3 and so on within each subject; the same in every delivery. A sink may deliver events in another order, so
   * receivers need it to restore the order and to find gaps.
   */
  sequence: number;
}

export interface ClaimedEvent extends SequencedEvent {
  /** The number of earlier attempts. */
  attempts: number;
}

/** An event that is not tried any more, without its data. */
export interface SetAsideEvent extends Omit<ClaimedEvent, 'data'> {
  /** Why the last attempt failed. */
  reason: string;
}

/**
 * Events are appended in the same transaction as the change (through a unit of work) and published later. All times are
 * in milliseconds since the epoch.
 *
 * Guarantees, on every implementation, across processes:
 * - an appended event can be claimed again until it is marked as published or set aside. So it is delivered at least
 *   once.
 * - no event is held by two claims at the same time. A claim expires after `leaseMs`, so no event is lost when a
 *   process is killed.
 * - only the oldest unpublished event of a subject is claimed, so each subject keeps its order. An event that was set
 *   aside does not block later events.
 * - the first claim of an event gives it the next `sequence` of its subject, without gaps or repeats. Of two events of a
 *   subject, the one whose transaction ended before the other was appended has the lower number.
 * - appending an event whose id is known changes nothing. Of any number of parallel calls with the same id, the first
 *   that commits is kept.
 */
export interface Outbox {
  /** @param signIn the sign-in that the event is about; it is added to the history of its account in the same write */
  append(event: OutboxEvent, signIn?: RecentSignIn): Promise<void>;
  /** Claims the oldest due events, at most `limit`, for `leaseMs` milliseconds. Gives them in their order. */
  claim(limit: number, now: number, leaseMs: number): Promise<ClaimedEvent[]>;
  markPublished(ids: string[], at: number): Promise<void>;
  /**
   * Ends the claim and makes the event due again at `retryAt`. When `retryAt` is undefined, the event is set aside and
   * not tried again before `retry`.
   */
  markFailed(id: string, reason: string, retryAt: number | undefined): Promise<void>;
  /** Gives the events that were set aside, the oldest first, at most `limit`. */
  setAside(limit: number): Promise<SetAsideEvent[]>;
  /**
   * Makes events that were set aside due again, as if they had not been tried. Does nothing with other events.
   *
   * @param ids undefined for all events that were set aside
   * @returns the ids of the events that are due again
   */
  retry(ids: string[] | undefined): Promise<string[]>;
  /** Gives the number of unpublished events, the time of the oldest, and separately the number of events set aside. */
  depth(): Promise<{ pending: number; oldest: number | undefined; setAside: number }>;
}
