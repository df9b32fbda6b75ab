/** What `make bench` can be told by the environment. */
export interface BenchSettings {
  /** Of one round of one operation. */
  seconds: number;
  rounds: number;
  /** Parts and operations to measure, by the beginning of their names; all when empty. */
  only: string[];
  /** Tries with wrong passwords, known and unknown addresses together. */
  tries: number;
  /** Connections that ask at the same time. */
  connections: number;
  /** Whether the table goes into docs/speed.md. */
  write: boolean;
  /** Whether to say where the CPU time of each operation goes. */
  profile: boolean;
}

export function readSettings(env: NodeJS.ProcessEnv): BenchSettings {
  return {
    seconds: Number(env.BENCH_SECONDS ?? 2),
    rounds: Number(env.BENCH_ROUNDS ?? 5),
    only: (env.BENCH_ONLY ?? '').split(',').filter((name) => name !== ''),
    tries: Number(env.BENCH_TRIES ?? 2000),
    connections: Number(env.BENCH_CONNECTIONS ?? 8),
    write: env.BENCH_WRITE === '1',
    profile: env.BENCH_PROFILE === '1',
  };
}

/** Whether this is to be measured. */
export const isWanted = ({ only }: BenchSettings, name: string): boolean =>
  only.length === 0 || only.some((wanted) => name.startsWith(wanted));
