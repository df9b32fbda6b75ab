import { describe, expect, test } from '@jest/globals';
import { PostgresClientSource } from '../../../adapters/postgres/client-source.ts';
import { clientsChannel, PostgresClientStore } from '../../../adapters/postgres/client-store.ts';
import { PostgresUnitOfWork } from '../../../adapters/postgres/unit-of-work.ts';
import { noWakeUp, PostgresSignals } from '../../../adapters/postgres/wake-up.ts';
import { silentLogger } from '../../../provider/bin/commands/silent-logger.ts';
import type { ClientOwner, ClientWriter } from '../../../provider/ports/client-store.ts';
import type { WakeUp } from '../../../provider/ports/wake-up.ts';
import { clientSourceContract, putClients } from '../../contract/client-source.ts';
import { createManualClock } from '../../support/manual-clock.ts';

import { waitFor } from '../../support/wait-for.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();
const owner: ClientOwner = { source: 'commands', name: 'default' };
const hour = 3_600_000;

/** @param change replaces parts of the source */
async function open(change: { signal?: WakeUp; pollMs?: number } = {}) {
  const pool = openPool();
  const db = pool.knex;
  const clock = createManualClock();
  const unitOfWork = new PostgresUnitOfWork({ db });
  const store = new PostgresClientStore({ db });
  const write = <T>(work: (clients: ClientWriter) => Promise<T>) =>
    unitOfWork.run(({ clients }) => work(clients));
  const clear = () =>
    write(async (clients) => {
      for (const client of await store.all()) await clients.delete(client.id, client.owner);
    });
  await clear();
  return {
    pool,
    clock,
    store,
    unitOfWork,
    write,
    clear,
    source: new PostgresClientSource({
      store,
      clock,
      // A change that is seen although both pauses are long was seen because of a signal.
      pollMs: { withSignal: hour, without: change.pollMs ?? hour },
      signal: change.signal ?? new PostgresSignals({ db, logger: silentLogger() }).channel(clientsChannel),
    }),
    close: () => pool.close(),
  };
}

async function asFixture({ source, unitOfWork, store, close }: Awaited<ReturnType<typeof open>>) {
  return { source, addsIds: true, put: putClients(unitOfWork, store), close };
}

clientSourceContract('PostgresClientSource, by signals', async () => asFixture(await open()));
clientSourceContract('PostgresClientSource, without signals', async () =>
  asFixture(await open({ pollMs: 50, signal: noWakeUp })),
);

describe('PostgresClientSource', () => {
  test('names the owner of each client', async () => {
    const { source, write, close } = await open();
    const owners: ClientOwner[] = [
      owner,
      { source: 'kubernetes', name: 'shop/web' },
      { source: 'registration', name: '' },
    ];
    await write(async (clients) => {
      for (const [at, one] of owners.entries())
        await clients.put({ id: `client-${at}`, owner: one, document: {}, secrets: [] });
    });
    expect((await source.load()).map(({ origin }) => origin)).toEqual([
      'clients apply (owner default)',
      'OIDCClient shop/web',
      'registration',
    ]);
    await close();
  });

  test('adds the stored secrets to those that the document names, without expired ones', async () => {
    const { source, write, clock, close } = await open();
    const until = (ms: number) => new Date(clock.now() + ms).toISOString();
    const secrets = [{ sha256: 'old', notAfter: until(1000) }, { sha256: 'new' }];
    const named = { secrets: [{ ref: 'env:A' }] };
    await write(async (clients) => {
      await clients.put({ id: 'generated', owner, document: {}, secrets });
      await clients.put({ id: 'named', owner, document: named, secrets: [{ sha256: 'beside' }] });
      await clients.put({ id: 'nothing', owner, document: {}, secrets: [] });
    });
    const load = async () => (await source.load()).map(({ value }) => value);
    expect(await load()).toEqual([
      { id: 'generated', secrets },
      { id: 'named', secrets: [{ ref: 'env:A' }, { sha256: 'beside' }] },
      { id: 'nothing' },
    ]);
    clock.advance(1000);
    expect((await load())[0]).toEqual({ id: 'generated', secrets: [{ sha256: 'new' }] });
    await close();
  });

  test('calls its watcher again until the change was loaded', async () => {
    const { source, write, close } = await open({ pollMs: 20, signal: noWakeUp });
    await source.load();
    let calls = 0;
    const stop = source.watch(() => {
      calls += 1;
    });
    await write((clients) => clients.put({ id: 'one', owner, document: {}, secrets: [] }));
    await waitFor(() => calls > 2, { what: 'several calls' });
    stop();
    await close();
  });
});
