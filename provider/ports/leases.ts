/**
 * Leases choose one process for work that all processes could do. All times are measured by the store, so the clocks of
 * the processes do not matter.
 *
 * Guarantees, on every implementation, across processes:
 * - a lease has at most one holder at a time;
 * - a lease that is not extended expires, so the work continues elsewhere when its process is killed.
 *
 * A process that was paused can still believe that it holds an expired lease. So a lease saves work, and must not
 * protect data.
 */
export interface Leases {
  /**
   * Takes a free or expired lease, or extends the lease of this holder, for `leaseMs` milliseconds from now. Gives
   * whether `holder` has the lease.
   */
  hold(name: string, holder: string, leaseMs: number): Promise<boolean>;
  /** Gives the lease back. Does nothing when another holder has it. */
  release(name: string, holder: string): Promise<void>;
}
