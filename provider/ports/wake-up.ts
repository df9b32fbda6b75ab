import type { Listener } from '../lib/follower.ts';

/**
 * A signal to all processes that there is news. A signal can be lost, so a listener must also look from time to time.
 */
export interface WakeUp {
  /** Wakes the listeners of all processes. */
  notify(): Promise<void>;
  /**
   * Calls `woken` after each signal, and whenever signals may have been lost before. Several signals may cause one call.
   * It never rejects: a listener that cannot connect, or whose connection was lost, tries again by itself.
   */
  listen(woken: () => void): Listener;
}
