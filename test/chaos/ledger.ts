/** What was asked and answered, what was broken when, and what should not have been. */
export class Ledger {
  readonly counts = new Map<string, number>();
  readonly faults: Fault[] = [];
  readonly violations: string[] = [];
  /** Longest wait until somebody got what they asked for, by what, in ms. */
  readonly longest = new Map<string, number>();
  /** What was done, and so has to be told of in the end. */
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

  /** Notes a fault while `work` breaks something, up to when that says that it is back. */
  async during(kind: FaultKind, work: (isBack: () => void) => Promise<void>): Promise<void> {
    const fault: Fault = { kind, from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.faults.push(fault);
    await work(() => {
      fault.to = Date.now();
    });
  }

  /** Whether one of these stores was away at some time between these, or had only just come back. */
  wasAway(stores: readonly Store[], from: number, to: number): boolean {
    return this.faults.some(
      (fault) =>
        stores.some((store) => storeOf[fault.kind] === store) &&
        fault.from <= to &&
        fault.to + settlingMs >= from,
    );
  }

  /** Whether Redis lost what it answered to a question of that time. What it was told when it was back, it still has. */
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
  /** Milliseconds since the epoch. */
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

/** Reconnecting takes its time after a store is back; who asks later than this waits for it, and is answered. */
export const settlingMs = 1_500;
