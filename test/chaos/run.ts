import { setTimeout as pause } from 'node:timers/promises';
import { createCaller } from './caller.ts';
import { checkEvents } from './check-events.ts';
import { createClient } from './client.ts';
import { faults } from './faults.ts';
import { startChaosFleet } from './fleet.ts';
import { Ledger, settlingMs } from './ledger.ts';
import { postgresUrl, startPostgres, startRedis } from './stores.ts';

export interface ChaosOptions {
  seconds: number;
  clients: number;
  processes: number;
}

/** One of this many apps uses the client with a grace shorter than the faults. */
const strictEvery = 6;

/** The time without faults before the first fault and after each round. In this time no error is excused. */
const quietMs = 2_000;

/** Breaks everything in turn while clients run, for the given time. Returns the ledger. */
export async function runChaos({ seconds, clients: count, processes }: ChaosOptions): Promise<Ledger> {
  const ledger = new Ledger();
  const stops: (() => Promise<void>)[] = [];
  try {
    const postgres = await startPostgres();
    stops.push(postgres.stop);
    const redis = await startRedis();
    stops.push(redis.stop);
    const fleet = await startChaosFleet(processes, {
      GATEHOUSE_DATABASE_URL: postgresUrl(postgres.port),
      GATEHOUSE_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    });
    stops.push(fleet.stop);

    const { kinds, commit } = faults({ fleet, postgres, redis, ledger });
    const end = Date.now() + seconds * 1000;
    let over = false;
    const isOver = () => over;
    const call = createCaller({ origins: fleet.origins, ledger, isOver });
    const clients = Array.from({ length: count }, (_, index) =>
      createClient({
        name: `client-${index}`,
        call,
        ledger,
        isOver,
        ...(index % strictEvery === 0 ? fleet.strictClient : fleet.client),
      }),
    );
    const running = Promise.all(clients.map((client) => client.run()));
    await pause(quietMs);
    while (Date.now() < end) {
      for (const kind of kinds) {
        await commit(kind);
        await pause(1_000);
      }
      await pause(settlingMs - 1_000 + quietMs);
    }
    over = true;
    await running;

    over = false;
    await fleet.allReady();
    await Promise.all(clients.map((client) => client.settleUp()));
    await checkEvents(fleet, clients, ledger);
    return ledger;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
