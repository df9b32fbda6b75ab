import { Redis } from 'ioredis';
import { openConnection } from './connection.ts';
import { cpuSeconds } from './cores.ts';
import { type Round, runRound, type Worker } from './load.ts';
import { pairedRatio, type Ratio, warmUp } from './paired.ts';
import type { BenchSettings } from './settings.ts';
import { refreshing, signedIn } from './signed-in.ts';
import { median } from './statistics.ts';
import type { World } from './world.ts';

/** Refreshes of two processes that share one Redis. */
export interface TwoProcesses extends Ratio {
  /** The CPU time of Redis for one refresh, in microseconds. */
  redisMicroseconds: number;
}

/**
 * Alternates rounds with one process and with both. Both processes run on the core of the server, so each is counted by
 * its own CPU time: the ratio shows what one process costs the other, and not the speed of a second core.
 */
export async function measureTwoProcesses(world: World, settings: BenchSettings): Promise<TwoProcesses> {
  const { connections, seconds, rounds, warmUpSeconds } = settings;
  const [first, second] = await Promise.all(
    world.processes.map(async ({ pid, port }) => {
      const workers: Worker[] = [];
      for (let index = 0; index < connections; index += 1)
        workers.push(refreshing(openConnection(port), await signedIn(world)));
      return { pid, workers };
    }),
  );
  if (first === undefined || second === undefined) throw new Error('two processes are needed');
  const one = (length: number) => runRound(first.workers, length, first.pid);
  const both = async (length: number): Promise<Round> => {
    const [before, workers] = [cpuSeconds(second.pid), [...first.workers, ...second.workers]];
    const round = await runRound(workers, length, first.pid);
    const [after, firstRate] = [cpuSeconds(second.pid), round.perCpuSecond];
    if (before === undefined || after === undefined || firstRate === undefined) return round;
    const cpu = round.count / firstRate + after - before;
    return { ...round, perCpuSecond: (2 * round.count) / cpu };
  };
  await warmUp(both, warmUpSeconds);
  const redis = new Redis(process.env.GATEHOUSE_TEST_REDIS_URL ?? '');
  const measured: { one: Round[]; both: Round[]; redis: number[] } = { one: [], both: [], redis: [] };
  for (let round = 0; round < rounds; round += 1) {
    const before = await redisCpuSeconds(redis);
    const together = await both(seconds);
    measured.redis.push(((await redisCpuSeconds(redis)) - before) / together.count);
    measured.both.push(together);
    measured.one.push(await one(seconds));
  }
  redis.disconnect();
  return { ...pairedRatio(measured.both, measured.one), redisMicroseconds: 1e6 * median(measured.redis) };
}

/** The CPU time of the Redis server since its start, in seconds. */
async function redisCpuSeconds(redis: Redis): Promise<number> {
  const text = await redis.info('cpu');
  const field = (name: string) =>
    Number(new RegExp(`^${name}:(?<value>[\\d.]+)`, 'm').exec(text)?.groups?.value);
  return field('used_cpu_user') + field('used_cpu_sys');
}
