import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { get, openConnection } from './connection.ts';
import { residentMib } from './cores.ts';
import type { Sent } from './flood-sender.ts';
import { accepted, refreshing, signedIn } from './signed-in.ts';
import { median, quantile } from './statistics.ts';
import type { World } from './world.ts';

/** How others fare while more people try to sign in than can be. */
export interface FloodReport extends Sent {
  probes: { name: string; beforeP99Ms: number; duringP99Ms: number; ratio: number }[];
  /** Of the server, once a second; none where it isn't told. */
  memoryMib: number[];
}

/** How often others ask meanwhile, each of them. */
const pauseMs = 40;

/** How many others do each. */
const probesOfAKind = 2;

/** How long each answer took, in milliseconds. */
type Times = Record<string, number[]>;

/** How often quiet and flood follow each other, so that neither has the better minutes of the machine. */
const turns = 3;

/**
 * Sends five times as many tries as can be hashed, from as many addresses as there are tries, and measures refresh and
 * JWKS before and meanwhile, in turns.
 * @param seconds of flood, and as many of quiet
 */
export async function flood(world: World, hashesPerSecond: number, seconds: number): Promise<FloodReport> {
  const probes = await startProbes(world);
  // Node makes fast code of what ran some thousand times.
  await probes.run(5, 0);
  const before: Times[] = [];
  const during: Times[] = [];
  const sent: Sent[] = [];
  const memoryMib: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    before.push(await probes.run(seconds / turns));
    const flooding = startFlood(world.port, hashesPerSecond * 5);
    await probes.run(2);
    const memory = sampleMemory(world.pid);
    during.push(await probes.run(seconds / turns));
    memoryMib.push(...memory.stop());
    sent.push(await flooding.stop());
    // Those who wait to be hashed are done, too.
    await probes.run(2);
  }
  return {
    sentPerSecond: median(sent.map(({ sentPerSecond }) => sentPerSecond)),
    answers: sums(sent.map(({ answers }) => answers)),
    memoryMib,
    probes: probes.names.map((name) => {
      const [beforeP99Ms, duringP99Ms] = [before, during].map((windows) =>
        quantile(
          windows.flatMap((times) => times[name] ?? []),
          0.99,
        ),
      ) as [number, number];
      return { name, beforeP99Ms, duringP99Ms, ratio: duringP99Ms / beforeP99Ms };
    }),
  };
}

function sums(all: Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [name, count] of all.flatMap((one) => Object.entries(one)))
    total[name] = (total[name] ?? 0) + count;
  return total;
}

function sampleMemory(pid: number): { stop(): number[] } {
  const samples: number[] = [];
  const timer = setInterval(() => {
    const mib = residentMib(pid);
    if (mib !== undefined) samples.push(mib);
  }, 1000);
  return {
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}

async function startProbes(world: World) {
  const jwks = get('/.well-known/jwks.json');
  const probe = async (): Promise<Record<string, () => Promise<unknown>>> => {
    const refresh = refreshing(openConnection(world.port), await signedIn(world));
    const reader = openConnection(world.port);
    return {
      'refresh, with id token': refresh.once,
      JWKS: async () => accepted(await reader.send(jwks)),
    };
  };
  const probes = await Promise.all(Array.from({ length: probesOfAKind }, probe));
  const names = Object.keys(probes[0] ?? {});
  return {
    names,
    run: async (seconds: number, betweenMs = pauseMs): Promise<Times> => {
      const times: Times = Object.fromEntries(names.map((name) => [name, []]));
      const end = performance.now() + seconds * 1000;
      const measure = async (name: string, once: () => Promise<unknown>) => {
        // Not all in step.
        await pause(Math.random() * betweenMs);
        while (performance.now() < end) {
          const startedAt = performance.now();
          await once();
          times[name]?.push(performance.now() - startedAt);
          await pause(betweenMs);
        }
      };
      await Promise.all(
        probes.flatMap((one) => Object.entries(one).map(([name, once]) => measure(name, once))),
      );
      return times;
    },
  };
}

function startFlood(port: number, perSecond: number): { stop(): Promise<Sent> } {
  const script = join(packageRoot, 'test', 'bench', 'flood-sender.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(port), String(perSecond)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // It shares a core with who measures, which isn't to be measured.
  setPriority(child.pid ?? 0, 10);
  return {
    stop: async () => {
      child.send('stop');
      const [sent] = await once(child, 'message');
      return sent as Sent;
    },
  };
}
