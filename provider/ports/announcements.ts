/**
 * What was told last about something that every process sees for itself: the set of clients, the set of keys. By it
 * one process tells of a change, however many notice it, and also of one that was made while none ran.
 *
 * Concurrency, on every implementation, across processes: transactions that exchange the same topic come one after the
 * other, so of any number that bring the same value at once all but the first are given it back.
 */
export interface Announcements {
  /** Puts `value` in the place of what was told last, and gives that; undefined when nothing ever was. */
  exchange(topic: string, value: string): Promise<string | undefined>;
}
