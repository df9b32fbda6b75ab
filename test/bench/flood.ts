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

/** Response times of other requests while more sign-ins arrive than the server can hash. */
export interface FloodReport extends Sent {
  probes: { name: string; beforeP99Ms: number; duringP99Ms: number; ratio: number }[];
  /** Memory of the server, once a second. Empty if the system doesn't report it. */
  memoryMib: number[];
}

/** The pause between two requests of one probe. */
const pauseMs = 40;

/** The number of probes for each kind of request. */
const probesOfAKind = 2;

/** The response times in milliseconds, by kind of request. */
type Times = Record<string, number[]>;

/** The number of quiet periods and floods. They alternate, so that changes of the machine affect both equally. */
const turns = 3;

/**
 * Sends five times as many tries as the server can hash, each from another address. Measures refresh and JWKS during quiet
 * periods and floods, which alternate.
 * @param seconds the total time of the floods, and also of the quiet periods
 */
export async function flood(world: World, hashesPerSecond: number, seconds: number): Promise<FloodReport> {
  const probes = await startProbes(world);
  // Node optimizes code that has run some thousand times.
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
    // The hashing queue is empty afterwards.
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
        // The probes must not run in step.
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
  // The sender shares a core with the measuring process and must not slow it down.
  setPriority(child.pid ?? 0, 10);
  return {
    stop: async () => {
      child.send('stop');
      const [sent] = await once(child, 'message');
      return sent as Sent;
    },
  };
}
