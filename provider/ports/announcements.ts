/**
 * The last announced state of something that every process observes: the set of clients, or the set of keys. With it,
 * exactly one process announces a change, even if many processes notice it. A change that was made while no process ran
 * is announced later.
 *
 * Concurrency, on every implementation, across processes: transactions that exchange the same topic run one after the
 * other. When several of them store the same value, all but the first get this value as the previous state.
 */
export interface Announcements {
  /** Stores `value` as the last announced state. Gives the previous state, or undefined when there was none. */
  exchange(topic: string, value: string): Promise<string | undefined>;
}
