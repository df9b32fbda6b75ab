import { expect, test } from '@jest/globals';
import { PostgresWakeUp } from '../../../adapters/postgres/wake-up.ts';
import { StoreUnavailable } from '../../../provider/lib/errors.ts';
import { waitFor } from '../../support/wait-for.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();

test('a signal reaches the listeners of all processes, until they stop', async () => {
  const counts = [0, 0];
  const listeners = [0, 1].map(() => new PostgresWakeUp({ db: openPool(1).knex }));
  const stops = await Promise.all(
    listeners.map((wakeUp, at) =>
      wakeUp.listen(
        () => {
          counts[at] = (counts[at] ?? 0) + 1;
        },
        () => {},
      ),
    ),
  );
  const sender = new PostgresWakeUp({ db: openPool(1).knex });
  await sender.notify();
  await waitFor(() => counts.every((count) => count === 1));
  await stops[0]?.();
  await sender.notify();
  await waitFor(() => counts[1] === 2);
  expect(counts).toEqual([1, 2]);
  await stops[1]?.();
});

test('a listener reports once that its connection is lost, and not after it was stopped', async () => {
  const pool = openPool(2);
  const wakeUp = new PostgresWakeUp({ db: pool.knex });
  const reasons: string[] = [];
  const endAll = () =>
    pool.knex.raw(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and query like 'listen%'`,
    );
  await wakeUp.listen(
    () => {},
    (reason) => void reasons.push(reason),
  );
  await endAll();
  await waitFor(() => reasons.length > 0);
  const stop = await wakeUp.listen(
    () => {},
    (reason) => void reasons.push(reason),
  );
  await stop();
  await endAll();
  await wakeUp.notify();
  expect(reasons).toHaveLength(1);
});

test('a listener that cannot connect rejects with the error of the stores', async () => {
  const pool = openPool(1);
  const wakeUp = new PostgresWakeUp({ db: pool.knex });
  pool.knex.client.connectionSettings.port = 1;
  await expect(
    wakeUp.listen(
      () => {},
      () => {},
    ),
  ).rejects.toThrow(StoreUnavailable);
});
