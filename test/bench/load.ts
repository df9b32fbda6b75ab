import { cpuSeconds } from './cores.ts';
import { median, quantile } from './statistics.ts';

/** An operation that is repeated. */
export interface Worker {
  /** Prepares a round of the given length. It is not measured. */
  prepare?(seconds: number): Promise<void>;
  /** Runs the operation once. Throws if it fails. Returns false if nothing is left of what `prepare` made. */
  once(): Promise<unknown>;
}

/** The result of one round. */
export interface Round {
  count: number;
  perSecond: number;
  /** The rate per second of CPU time of the server. Undefined if the system doesn't report it. */
  perCpuSecond: number | undefined;
  p50Ms: number;
  p99Ms: number;
}

/** The rate by CPU time if it is known, because CPU time limits one server on one core. */
export const rateOf = ({ perCpuSecond, perSecond }: Round): number => perCpuSecond ?? perSecond;

/** Runs all workers in parallel for the given time. Each worker continues when its last response has arrived. */
export async function runRound(workers: readonly Worker[], seconds: number, pid: number): Promise<Round> {
  for (const worker of workers) await worker.prepare?.(seconds);
  const latencies: number[] = [];
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const end = startedAt + seconds * 1000;
  await Promise.all(
    workers.map(async (worker) => {
      for (let at = performance.now(); at < end; ) {
        if ((await worker.once()) === false) return;
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    }),
  );
  const tookSeconds = (performance.now() - startedAt) / 1000;
  const cpuAfter = cpuSeconds(pid);
  const cpu = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return {
    count: latencies.length,
    perSecond: latencies.length / tookSeconds,
    perCpuSecond: cpu === undefined ? undefined : latencies.length / cpu,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

/** The median of each number over the rounds. */
export function typical(rounds: readonly Round[]): Round {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const cpu = rounds.map(({ perCpuSecond }) => perCpuSecond).filter((rate) => rate !== undefined);
  return {
    count: rounds.reduce((sum, { count }) => sum + count, 0),
    perSecond: of(({ perSecond }) => perSecond),
    perCpuSecond: cpu.length === 0 ? undefined : median(cpu),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
  };
}
