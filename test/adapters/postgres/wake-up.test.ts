import { afterEach, describe, expect, test } from '@jest/globals';
import { PostgresSignals, type PostgresSignalsOptions } from '../../../adapters/postgres/wake-up.ts';
import type { Listener } from '../../../provider/lib/follower.ts';
import { waitFor } from '../../support/wait-for.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

const listeners: Listener[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((listener) => listener.stop())));

/** A process of its own. */
function open(options: Partial<PostgresSignalsOptions> = {}) {
  const pool = openPool(2);
  const lines: string[] = [];
  const log = (_: unknown, line: string) => void lines.push(line);
  const logger = { info: log, warn: log };
  const againMs = { first: 10, longest: 20 };
  const signals = new PostgresSignals({ db: pool.knex, logger, againMs, ...options });
  const count = { news: 0 };
  const listen = (channel = 'news') => {
    const listener = signals.channel(channel).listen(() => {
      count.news += 1;
    });
    listeners.push(listener);
    return listener;
  };
  return { pool, signals, lines, count, listen };
}

/** Ends the connections that listen. */
const endAll = ({ pool }: ReturnType<typeof open>) =>
  pool.knex.raw(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and query ~ '^(listen|notify gatehouse_proof)'`,
  );

describe('signals of Postgres', () => {
  test('a signal reaches the listeners of all processes, until they stop', async () => {
    const places = [open(), open()];
    const opened = places.map(({ listen }) => listen());
    await waitFor(() => opened.every(({ arrives }) => arrives()));
    for (const { count } of places) count.news = 0;
    const sender = open().signals.channel('news');
    await sender.notify();
    await waitFor(() => places.every(({ count }) => count.news === 1));
    await opened[0]?.stop();
    await sender.notify();
    await waitFor(() => places[1]?.count.news === 2);
    expect(places[0]?.count.news).toBe(1);
  });

  test('channels share one connection, and each listener is woken by its channel only', async () => {
    const { signals, pool, count, listen } = open();
    const [news, other] = [listen('news'), listen('other')];
    const woken = { third: 0 };
    const third = signals.channel('third').listen(() => {
      woken.third += 1;
    });
    listeners.push(third);
    await waitFor(() => [news, other, third].every(({ arrives }) => arrives()));
    Object.assign(count, { news: 0 });
    woken.third = 0;
    await signals.channel('third').notify();
    await waitFor(() => woken.third === 1);
    expect(count.news).toBe(0);
    const connections = async () => {
      const { rows } = await pool.knex.raw(
        `select count(*)::int as open from pg_stat_activity
         where datname = current_database() and query ~ '^(listen|notify gatehouse_proof)'`,
      );
      return rows[0].open;
    };
    await waitFor(async () => (await connections()) === 1, { what: 'one connection' });
  });

  test('a listener connects again after its connection was lost, and wakes because signals may be lost', async () => {
    const place = open({ againMs: { first: 300, longest: 300 } });
    const listener = place.listen();
    await waitFor(() => listener.arrives());
    place.count.news = 0;
    await endAll(place);
    await waitFor(() => !listener.arrives() && place.count.news === 1, { what: 'the loss' });
    await waitFor(() => listener.arrives() && place.count.news === 2, { what: 'the new connection' });
    expect(place.lines).toEqual([
      'signals from other processes do not arrive, looking more often',
      'signals from other processes arrive again',
    ]);
  });

  test('a listener that cannot connect tries again by itself', async () => {
    const { pool, lines, listen } = open();
    const { port } = pool.knex.client.connectionSettings;
    pool.knex.client.connectionSettings.port = 1;
    const listener = listen();
    await waitFor(() => lines.length > 0);
    expect(listener.arrives()).toBe(false);
    pool.knex.client.connectionSettings.port = port;
    await waitFor(() => listener.arrives());
  });

  test('a connection that brings no signals, as from some poolers, counts as lost, and is tried again', async () => {
    const place = open({ proofMs: 50, againMs: { first: 20, longest: 20 } });
    let opened = 0;
    changeStatements(place, (text) => {
      if (text.startsWith('listen news')) opened += 1;
      return text.startsWith('listen') ? 'select 1' : text;
    });
    const listener = place.listen();
    await waitFor(() => opened > 2, { what: 'the third connection' });
    expect(listener.arrives()).toBe(false);
    expect(place.lines).toEqual(['signals from other processes do not arrive, looking more often']);
  });

  test('a connection that the network dropped without a word counts as lost after the next proof', async () => {
    const place = open({ proofMs: 50, proveEveryMs: 20 });
    let dropped = false;
    changeStatements(place, (text) => (dropped ? undefined : text));
    const listener = place.listen();
    await waitFor(() => listener.arrives());
    dropped = true;
    place.count.news = 0;
    await waitFor(() => !listener.arrives() && place.count.news > 0, { what: 'the loss' });
    dropped = false;
    await waitFor(() => listener.arrives(), { what: 'the next connection' });
  });
});

/** Changes the statements of the connections that listen. Undefined: the statement never arrives. */
function changeStatements({ pool }: ReturnType<typeof open>, change: (text: string) => string | undefined) {
  const { client } = pool.knex;
  const acquire = client.acquireRawConnection.bind(client);
  client.acquireRawConnection = async () => {
    const connection = await acquire();
    const query = connection.query.bind(connection);
    connection.query = (text: unknown, ...rest: unknown[]) => {
      if (typeof text !== 'string' || !/^(listen|notify)/.test(text)) return query(text, ...rest);
      const changed = change(text);
      return changed === undefined ? new Promise(() => {}) : query(changed);
    };
    return connection;
  };
}
