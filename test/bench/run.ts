import { cpus } from 'node:os';
import type { Cores } from './cores.ts';
import { flood } from './flood.ts';
import { type Limit, startLimits } from './limits.ts';
import { type Round, runRound, typical, type Worker } from './load.ts';
import { type Operation, operations } from './operations.ts';
import { type Profile, profiled } from './profile.ts';
import { type BenchReport, rateOf } from './report.ts';
import { type BenchSettings, isWanted } from './settings.ts';
import { compareAnswers } from './timing.ts';
import { startWorld, type World } from './world.ts';

type Say = (text: string) => void;

interface Ready extends Operation {
  workers: Worker[];
  rounds: Round[];
}

/** Measures all selected operations on one server, in one run. */
export async function runBench(settings: BenchSettings, cores: Cores, say: Say): Promise<BenchReport> {
  const stops: (() => unknown)[] = [];
  try {
    const world = await startWorld(cores, settings);
    stops.push(world.stop);
    const { limits, stop } = await startLimits(cores, settings.connections);
    stops.push(stop);
    const measured = limits.map((limit) => ({ ...limit, rounds: [] as Round[] }));
    const ready = await readied(world, settings, say);
    say('warming up: the limits');
    for (const limit of measured) await limit.measure(settings.seconds);
    for (let round = 1; round <= settings.rounds; round += 1) {
      say(`round ${round} of ${settings.rounds}`);
      await measureLimits(measured, settings.seconds / 2);
      for (const one of ready) one.rounds.push(await runRound(one.workers, settings.seconds, world.pid));
    }
    const profiles = settings.profile ? await profileAll(ready, settings.seconds, world.pid) : {};
    const hashes = measured.find(({ name }) => name === 'argon2id hashes')?.rounds ?? [];
    const hashRate = rateOf(typical(hashes));
    if (isWanted(settings, 'timing')) say('times of known and unknown addresses');
    const comparisons = isWanted(settings, 'timing') ? await compareAnswers(world, settings.tries) : [];
    if (isWanted(settings, 'flood')) say('a flood of sign-ins');
    const flooded =
      isWanted(settings, 'flood') && (await flood(world, hashRate, floodRounds * settings.seconds));
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}; ${cores.description}`,
      settings,
      limits: measured.map(({ name, rounds }) => ({ name, rounds, typical: typical(rounds) })),
      operations: ready.map(({ name, limit, aim, rounds }) => ({
        name,
        limit,
        rounds,
        typical: typical(rounds),
        ...(aim === undefined ? {} : { aim }),
      })),
      profiles,
      comparisons,
      flood: flooded || undefined,
    };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function measureLimits(limits: (Limit & { rounds: Round[] })[], seconds: number): Promise<void> {
  for (const limit of limits) limit.rounds.push(await limit.measure(seconds));
}

/** The length of the flood in rounds. With rounds of two seconds it is half a minute. */
const floodRounds = 15;

/** Rounds before the measurement. Node optimizes code that has run some thousand times. */
const warmUpRounds = 3;

/** Each selected operation with its workers, warmed up. */
async function readied(world: World, settings: BenchSettings, say: Say): Promise<Ready[]> {
  const ready: Ready[] = [];
  for (const operation of operations) {
    if (!isWanted(settings, operation.name)) continue;
    say(`warming up: ${operation.name}`);
    const workers: Worker[] = [];
    for (let index = 0; index < settings.connections; index += 1)
      workers.push(await operation.worker(world, index));
    await runRound(workers, warmUpRounds * settings.seconds, world.pid);
    ready.push({ ...operation, workers, rounds: [] });
  }
  return ready;
}

async function profileAll(ready: Ready[], seconds: number, pid: number): Promise<Record<string, Profile>> {
  const profiles: Record<string, Profile> = {};
  for (const { name, workers } of ready)
    profiles[name] = await profiled(pid, () => runRound(workers, seconds, pid));
  return profiles;
}
