import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../support/wait-for.ts';
import { createCaller } from './caller.ts';
import { type ChaosClient, createClient } from './client.ts';
import { faults } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { Ledger } from './ledger.ts';
import { postgresUrl, startPostgres, startRedis } from './stores.ts';

export interface ChaosOptions {
  seconds: number;
  clients: number;
  processes: number;
}

/** Breaks everything in turn while clients go on, for so long; gives what came of it. */
export async function runChaos({ seconds, clients: count, processes }: ChaosOptions): Promise<Ledger> {
  const ledger = new Ledger();
  const stops: (() => Promise<void>)[] = [];
  try {
    const postgres = await startPostgres();
    stops.push(postgres.stop);
    const redis = await startRedis();
    stops.push(redis.stop);
    const fleet = await startFleet(processes, {
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
      createClient({ name: `client-${index}`, call, ledger, isOver }),
    );
    const running = Promise.all(clients.map((client) => client.run()));
    await pause(2_000);
    for (let turn = 0; Date.now() < end || turn < kinds.length; turn += 1) {
      await commit(kinds[turn % kinds.length] as (typeof kinds)[number]);
      await pause(1_000);
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

/** Every sign-in that was answered was told of; one whose answer was lost may have been, too. */
async function checkEvents(fleet: Fleet, clients: readonly ChaosClient[], ledger: Ledger): Promise<void> {
  const isEmpty = async () =>
    (await fleet.metrics()).every((text) => /^gatehouse_outbox_pending 0$/m.test(text));
  await waitFor(isEmpty, { timeoutMs: 90_000, what: 'an empty outbox' });
  const lines = fleet.written().flatMap((text) => text.split('\n'));
  const events = lines
    .filter((line) => line.startsWith('{"id":"evt_') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as { id: string; type: string; data: { email?: string } });
  for (const { email, signIns } of clients) {
    const told = (type: string) =>
      new Set(events.filter((event) => event.type === type && event.data.email === email).map(({ id }) => id))
        .size;
    if (told('user.created') !== 1) ledger.violated(`${email} was created ${told('user.created')} times`);
    if (told('user.login') < signIns)
      ledger.violated(`${email} signed in ${signIns} times, and ${told('user.login')} were told of`);
  }
  ledger.counts.set('events told', new Set(events.map(({ id }) => id)).size);
  ledger.counts.set('events told more than once', events.length - new Set(events.map(({ id }) => id)).size);
}
