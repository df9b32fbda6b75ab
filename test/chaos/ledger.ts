/** Records requests and answers, faults with their times, and violations. */
export class Ledger {
  readonly counts = new Map<string, number>();
  readonly faults: Fault[] = [];
  readonly violations: string[] = [];
  /** The longest wait for an answer in ms, by kind of request. */
  readonly longest = new Map<string, number>();
  /** Events that must be published before the end of the run. */
  readonly toTell: FamilyEvent[] = [];

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  took(what: string, ms: number): void {
    this.longest.set(what, Math.max(ms, this.longest.get(what) ?? 0));
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  /** Records a fault while `work` breaks something. The fault ends when `work` calls `isBack`. */
  async during(kind: FaultKind, work: (isBack: () => void) => Promise<void>): Promise<void> {
    const fault: Fault = { kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.faults.push(fault);
    await work(() => {
      fault.to = Date.now();
    });
  }

  /** Whether any of the stores was away between the two times, or had just come back. */
  wasAway(stores: readonly Store[], from: number, to: number): boolean {
    return this.faults.some(
      (fault) =>
        stores.some((store) => storeOf[fault.kind] === store) &&
        fault.from <= to &&
        fault.to + settlingMs >= from,
    );
  }

  /** Whether Redis has lost the data of a request from that time. Data that was written after the loss is not lost. */
  wasLost(askedAt: number): boolean {
    return this.faults.some(({ kind, to }) => kind === 'redis lost its data' && askedAt <= to);
  }
}

export type Store = 'postgres' | 'redis';

export type FaultKind =
  | 'a process was killed'
  | 'callers were cut off'
  | 'redis was cut off'
  | 'redis restarted'
  | 'redis lost its data'
  | 'postgres was cut off'
  | 'postgres restarted';

export interface FamilyEvent {
  type: 'family.ended' | 'token.reuse_detected';
  familyId: string;
}

interface Fault {
  kind: FaultKind;
  /** The start, in milliseconds since the epoch. */
  from: number;
  to: number;
}

const storeOf: Partial<Record<FaultKind, Store>> = {
  'redis was cut off': 'redis',
  'redis restarted': 'redis',
  'redis lost its data': 'redis',
  'postgres was cut off': 'postgres',
  'postgres restarted': 'postgres',
};

/** The time for reconnecting after a store is back. A later request waits for the connection and is answered. */
export const settlingMs = 1_500;
