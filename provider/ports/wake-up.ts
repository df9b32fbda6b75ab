/**
 * A signal to all processes that there is work. A signal can be lost, so a listener must also look for work from time
 * to time.
 */
export interface WakeUp {
  /** Wakes the listeners of all processes. */
  notify(): Promise<void>;
  /**
   * Calls `woken` after each signal. Several signals may cause one call. Rejects when the listener can't connect.
   *
   * @param lost called once when no more signals arrive, except after `stop`
   * @returns `stop`, which ends the listener
   */
  listen(woken: () => void, lost: (reason: string) => void): Promise<() => Promise<void>>;
}
