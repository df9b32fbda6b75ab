import { cpus } from 'node:os';
import type { Cores } from './cores.ts';
import { flood } from './flood.ts';
import { type Limit, startLimits } from './limits.ts';
import { type Round, rateOf, runRound, typical, type Worker } from './load.ts';
import { type Operation, operations } from './operations.ts';
import { pairedRatio, warmUp } from './paired.ts';
import { type Profile, profiled } from './profile.ts';
import type { BenchReport, MeasuredOperation } from './report.ts';
import { type BenchSettings, isWanted } from './settings.ts';
import { measureStarts } from './start.ts';
import { compareAnswers } from './timing.ts';
import { measureTwoProcesses } from './two-processes.ts';
import { startWorld, type World } from './world.ts';

type Say = (text: string) => void;

interface MeasuredLimit extends Limit {
  rounds: Round[];
  isWarm: boolean;
}

/** Measures all selected operations on one server, in one run. */
export async function runBench(settings: BenchSettings, cores: Cores, say: Say): Promise<BenchReport> {
  const stops: (() => unknown)[] = [];
  try {
    const world = await startWorld(cores, settings);
    stops.push(world.stop);
    const { limits, stop } = await startLimits(cores, settings.connections);
    stops.push(stop);
    const measured = limits.map((limit): MeasuredLimit => ({ ...limit, rounds: [], isWarm: false }));
    const compared: MeasuredOperation[] = [];
    const profiles: Record<string, Profile> = {};
    for (const operation of operations) {
      if (!isWanted(settings, operation.name)) continue;
      const workers = await workersOf(operation, world, settings);
      compared.push(await compare(operation, workers, measured, world, settings, say));
      if (settings.profile)
        profiles[operation.name] = await profiled(world.pid, () =>
          runRound(workers, profileSeconds, world.pid),
        );
    }
    if (isWanted(settings, 'two processes')) say('two processes');
    const twoProcesses = isWanted(settings, 'two processes')
      ? await measureTwoProcesses(world, settings)
      : undefined;
    if (isWanted(settings, 'start')) say('starts');
    const starts = isWanted(settings, 'start') ? await measureStarts(world, cores) : undefined;
    say('the other limits');
    for (const limit of measured.filter(({ rounds }) => rounds.length === 0))
      for (let round = 0; round < otherRounds; round += 1) limit.rounds.push(await limit.measure(1));
    const hashes = measured.find(({ name }) => name === 'argon2id hashes')?.rounds ?? [];
    if (isWanted(settings, 'timing')) say('times of known and unknown addresses');
    const comparisons = isWanted(settings, 'timing') ? await compareAnswers(world, settings.tries) : [];
    if (isWanted(settings, 'flood')) say('a flood of sign-ins');
    const flooded =
      isWanted(settings, 'flood') && (await flood(world, rateOf(typical(hashes)), floodSeconds));
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}; ${cores.description}`,
      settings,
      limits: measured.map(({ name, rounds }) => ({ name, rounds, typical: typical(rounds) })),
      operations: compared,
      twoProcesses,
      starts,
      profiles,
      comparisons,
      flood: flooded || undefined,
    };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

const floodSeconds = 30;
const profileSeconds = 2;
/** The rounds of a limit that no operation is compared with. The benchmark of OpenSSL takes whole seconds. */
const otherRounds = 3;

async function workersOf(operation: Operation, world: World, settings: BenchSettings): Promise<Worker[]> {
  const workers: Worker[] = [];
  for (let index = 0; index < settings.connections; index += 1)
    workers.push(await operation.worker(world, index));
  return workers;
}

/** Warms up an operation and its limits, then alternates short rounds between them. */
async function compare(
  { name, limits }: Operation,
  workers: Worker[],
  measured: MeasuredLimit[],
  world: World,
  settings: BenchSettings,
  say: Say,
): Promise<MeasuredOperation> {
  const measure = (seconds: number) => runRound(workers, seconds, world.pid);
  const beside = limits.flatMap(({ limit, aim }) => {
    const found = measured.find((one) => one.name === limit);
    return found ? [{ limit: found, aim, rounds: [] as Round[] }] : [];
  });
  say(`warming up: ${name}`);
  for (const { limit } of beside) {
    if (!limit.isWarm) await warmUp(limit.measure, settings.warmUpSeconds);
    limit.isWarm = true;
  }
  const isSteady = await warmUp(measure, settings.warmUpSeconds);
  say(`measuring: ${name}${isSteady ? '' : ', which is not steady yet'}`);
  const rounds: Round[] = [];
  for (let round = 0; round < settings.rounds; round += 1) {
    rounds.push(await measure(settings.seconds));
    for (const one of beside) one.rounds.push(await one.limit.measure(settings.seconds));
  }
  for (const one of beside) one.limit.rounds.push(...one.rounds);
  return {
    name,
    rounds,
    typical: typical(rounds),
    ratios: beside.map(({ limit, aim, rounds: others }) => ({
      limit: limit.name,
      ...pairedRatio(rounds, others),
      ...(aim === undefined ? {} : { aim }),
    })),
  };
}
