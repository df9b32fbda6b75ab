import { expect, test } from '@jest/globals';
import { PostgresAccountIndex } from '../../../adapters/postgres/account-index.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { rows } from '../../../adapters/postgres/sql.ts';
import { newId } from '../../../provider/lib/ids.ts';
import { type AccountIndexEntry, mostEntriesOfAccount } from '../../../provider/ports/account-index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();
const clock = createManualClock();
const later = clock.now() + 60_000;
const entry = (id: string, expiresAt: number): AccountIndexEntry => ({
  kind: 'session',
  id,
  details: 'd',
  usedAt: 0,
  expiresAt,
});

/** Inserts rows as parallel puts can leave them, named by their order: the first expires first. */
async function addRows({ knex }: Database, accountId: string, count: number): Promise<void> {
  await rows(
    knex,
    `insert into account_index (account_id, id, kind, details, expires_at)
     select :accountId, 'row ' || place, 'session', 'd', :later::bigint + place from generate_series(1, :count) as place`,
    { accountId, later, count },
  );
}

async function storedIds({ knex }: Database, accountId: string): Promise<string[]> {
  const found = await rows<{ id: string }>(
    knex,
    'select id from account_index where account_id = :accountId order by expires_at',
    { accountId },
  );
  return found.map(({ id }) => id);
}

test('rows beyond the bound are never listed, and are deleted at the next put', async () => {
  const pool = openPool();
  const [account, neighbour] = [newId('user'), newId('user')];
  const index = new PostgresAccountIndex({ db: pool.knex, clock });
  await addRows(pool, neighbour, mostEntriesOfAccount + 5);
  await addRows(pool, account, mostEntriesOfAccount + 5);
  expect(await index.list(account)).toHaveLength(mostEntriesOfAccount);
  await index.put(account, entry('new', later + 10_000));
  const ids = await storedIds(pool, account);
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([mostEntriesOfAccount, 'row 7', 'new']);
  expect(await storedIds(pool, neighbour)).toHaveLength(mostEntriesOfAccount + 5);
});

test('a put does not wait for a row that is being renewed, and does not delete it', async () => {
  const [pool, other] = [openPool(), openPool(1)];
  const account = newId('user');
  await addRows(pool, account, mostEntriesOfAccount);
  const renewed = entry('row 1', later + 20_000);
  await other.knex.transaction(async (db) => {
    await new PostgresAccountIndex({ db, clock }).put(account, renewed);
    await new PostgresAccountIndex({ db: pool.knex, clock }).put(account, entry('new', later + 10_000));
  });
  expect(await new PostgresAccountIndex({ db: pool.knex, clock }).list(account)).toContainEqual(renewed);
});
