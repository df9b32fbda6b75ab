/**
 * The last state that was announced of something that every process observes: the set of clients, the set of keys. With
 * it exactly one process announces a change, however many processes notice it. A change that was made while no process
 * ran is announced too.
 *
 * Concurrency, on every implementation, across processes: transactions that exchange the same topic run one after the
 * other. When several bring the same value at once, all but the first get this value back.
 */
export interface Announcements {
  /** Stores `value` as the last announced state. Gives the state before, or undefined when there was none. */
  exchange(topic: string, value: string): Promise<string | undefined>;
}
