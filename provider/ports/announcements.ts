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
  /** Gives the last announced state, or undefined when there was none. It waits for no other transaction. */
  read(topic: string): Promise<string | undefined>;
}

/** The topic of the clients in the file of each process. Processes without a file announce an empty set. */
export const clientsFileTopic = 'clients of the file';

/** Writes the state of a set: the ids of its members with a digest of each. Equal sets give equal texts. */
export function announcedState(digests: ReadonlyMap<string, string>): string {
  return JSON.stringify([...digests].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Reads what `announcedState` wrote. */
export function announcedDigests(state: string | undefined): Map<string, string> {
  return new Map<string, string>(JSON.parse(state ?? '[]'));
}
