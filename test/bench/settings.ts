/** The settings of `make bench`, from environment variables. */
export interface BenchSettings {
  /** The length of one round of one operation or limit, in seconds. */
  seconds: number;
  /** The number of rounds of each operation. Each round has a round of every limit beside it. */
  rounds: number;
  /** The longest warm-up of one operation or limit, in seconds. */
  warmUpSeconds: number;
  /** The beginnings of the names of parts and operations to measure. All are measured if it is empty. */
  only: string[];
  /** The number of tries with wrong passwords, for known and unknown addresses together. Sign-ups and recovery come on top. */
  tries: number;
  /** The number of parallel connections. */
  connections: number;
  /** Whether the table is written into docs/speed.md. */
  write: boolean;
  /** Whether to report which code uses the CPU time of each operation. */
  profile: boolean;
}

export function readSettings(env: NodeJS.ProcessEnv): BenchSettings {
  return {
    seconds: Number(env.BENCH_SECONDS ?? 0.2),
    rounds: Number(env.BENCH_ROUNDS ?? 15),
    warmUpSeconds: Number(env.BENCH_WARM_UP ?? 25),
    only: (env.BENCH_ONLY ?? '').split(',').filter((name) => name !== ''),
    tries: Number(env.BENCH_TRIES ?? 2000),
    connections: Number(env.BENCH_CONNECTIONS ?? 8),
    write: env.BENCH_WRITE === '1',
    profile: env.BENCH_PROFILE === '1',
  };
}

/** Whether the part or operation with this name is measured. */
export const isWanted = ({ only }: BenchSettings, name: string): boolean =>
  only.length === 0 || only.some((wanted) => name.startsWith(wanted));
