/** What was asked and answered, what was broken when, and what should not have been. */
export class Ledger {
  readonly counts = new Map<string, number>();
  readonly faults: Fault[] = [];
  readonly violations: string[] = [];
  /** Longest wait until somebody got what they asked for, by what, in ms. */
  readonly longest = new Map<string, number>();

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  took(what: string, ms: number): void {
    this.longest.set(what, Math.max(ms, this.longest.get(what) ?? 0));
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  /** Notes a fault for as long as `work` breaks, and mends, something. */
  async during(kind: FaultKind, work: () => Promise<void>): Promise<void> {
    const fault: Fault = { kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.faults.push(fault);
    await work();
    fault.to = Date.now();
  }

  /** Whether a store was away at some time between these, or had only just come back. */
  wasStoreAway(from: number, to: number): boolean {
    return this.#any(storeFaults, from, to);
  }

  /** Whether Redis lost its data between these. */
  wasDataLost(from: number, to: number): boolean {
    return this.#any(['redis lost its data'], from, to);
  }

  #any(kinds: readonly FaultKind[], from: number, to: number): boolean {
    return this.faults.some(
      (fault) => kinds.includes(fault.kind) && fault.from <= to && fault.to + settlingMs >= from,
    );
  }
}

export type FaultKind =
  | 'a process was killed'
  | 'callers were cut off'
  | 'redis was cut off'
  | 'redis restarted'
  | 'redis lost its data'
  | 'postgres was cut off'
  | 'postgres restarted';

interface Fault {
  kind: FaultKind;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
}

const storeFaults: FaultKind[] = [
  'redis was cut off',
  'redis restarted',
  'redis lost its data',
  'postgres was cut off',
  'postgres restarted',
];

/** Reconnecting takes its time after a store is back. */
const settlingMs = 5_000;
