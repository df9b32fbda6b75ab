import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, get, openConnection, postJson } from './connection.ts';
import { residentMib } from './cores.ts';
import { accepted, refreshing, signedIn } from './signed-in.ts';
import { quantile } from './statistics.ts';
import type { World } from './world.ts';

/** How others fare while more people try to sign in than can be. */
export interface FloodReport {
  /** Tries a second that were sent, and how many of them a hash was made for. */
  sentPerSecond: number;
  answers: Record<string, number>;
  probes: { name: string; beforeP99Ms: number; duringP99Ms: number; ratio: number }[];
  /** Of the server: at the flood's beginning and end. */
  memoryMib: { begin: number | undefined; end: number | undefined };
}

/** How often others ask meanwhile, each of them. */
const pauseMs = 40;

/**
 * Sends five times as many tries as can be hashed, from as many addresses as there are tries, and measures refresh and
 * JWKS before and meanwhile.
 */
export async function flood(world: World, hashesPerSecond: number, seconds: number): Promise<FloodReport> {
  const probes = await startProbes(world);
  await probes.run(2);
  const before = await probes.run(seconds);
  const flooding = startFlood(world.port, hashesPerSecond * 5);
  await probes.run(2);
  const begin = residentMib(world.pid);
  const during = await probes.run(seconds);
  const end = residentMib(world.pid);
  const { sentPerSecond, answers } = await flooding.stop();
  return {
    sentPerSecond,
    answers,
    memoryMib: { begin, end },
    probes: [...before.keys()].map((name) => {
      const [beforeP99Ms, duringP99Ms] = [before, during].map((times) =>
        quantile(times.get(name) ?? [], 0.99),
      ) as [number, number];
      return { name, beforeP99Ms, duringP99Ms, ratio: duringP99Ms / beforeP99Ms };
    }),
  };
}

async function startProbes(world: World) {
  const jwks = get('/.well-known/jwks.json');
  const refresh = refreshing(openConnection(world.port), await signedIn(world));
  const reader = openConnection(world.port);
  const asked: [string, () => Promise<unknown>][] = [
    ['refresh, with id token', refresh.once],
    ['JWKS', async () => accepted(await reader.send(jwks))],
  ];
  return {
    run: async (seconds: number): Promise<Map<string, number[]>> => {
      const end = performance.now() + seconds * 1000;
      const measured = asked.map(async ([name, once]) => {
        const times: number[] = [];
        while (performance.now() < end) {
          const startedAt = performance.now();
          await once();
          times.push(performance.now() - startedAt);
          await pause(pauseMs);
        }
        return [name, times] as const;
      });
      return new Map(await Promise.all(measured));
    },
  };
}

/** How many tries may be under way: more than the server lets wait. */
const mostConnections = 600;

function startFlood(port: number, perSecond: number) {
  const startedAt = performance.now();
  const free: Connection[] = Array.from({ length: mostConnections }, () => openConnection(port));
  const answers: Record<string, number> = {};
  let sent = 0;
  let due = 0;
  const underWay = new Set<Promise<void>>();
  const tryOnce = async (connection: Connection) => {
    const email = `${randomBytes(6).toString('hex')}@example.com`;
    const answer = await connection
      .send(postJson('/auth/login', { email, password: 'a guess' }))
      .catch(() => undefined);
    const status = String(answer?.status ?? 'no answer');
    answers[status] = (answers[status] ?? 0) + 1;
    free.push(connection);
  };
  const timer = setInterval(() => {
    due = (performance.now() - startedAt) * (perSecond / 1000);
    while (sent < due) {
      sent += 1;
      const connection = free.pop();
      if (connection === undefined) {
        answers['not sent'] = (answers['not sent'] ?? 0) + 1;
        continue;
      }
      const one = tryOnce(connection).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      const tookSeconds = (performance.now() - startedAt) / 1000;
      await Promise.all(underWay);
      for (const connection of free) connection.close();
      return { sentPerSecond: (sent - (answers['not sent'] ?? 0)) / tookSeconds, answers };
    },
  };
}
