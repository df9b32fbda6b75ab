import { expect, test } from '@jest/globals';
import { PostgresAccountIndex } from '../../../adapters/postgres/account-index.ts';
import { PostgresAddressChanges } from '../../../adapters/postgres/address-changes.ts';
import type { Database } from '../../../adapters/postgres/database.ts';
import { PostgresExpiredRows } from '../../../adapters/postgres/expired-rows.ts';
import { PostgresFamilyStore } from '../../../adapters/postgres/family-store.ts';
import { PostgresLimits } from '../../../adapters/postgres/limits.ts';
import { PostgresMailSuppressions } from '../../../adapters/postgres/mail-suppressions.ts';
import { PostgresMails } from '../../../adapters/postgres/mails.ts';
import { PostgresOidcStore } from '../../../adapters/postgres/oidc-store.ts';
import { PostgresOneTimeTokens } from '../../../adapters/postgres/one-time-tokens.ts';
import { PostgresOutbox } from '../../../adapters/postgres/outbox.ts';
import { PostgresRevocationStore } from '../../../adapters/postgres/revocation-store.ts';
import { rows } from '../../../adapters/postgres/sql.ts';
import { newId, randomToken } from '../../../provider/lib/ids.ts';
import { keptSignInMs } from '../../../provider/ports/sign-in-history.ts';
import { sampleChange } from '../../contract/address-changes.ts';
import { expiredRowsContract } from '../../contract/expired-rows.ts';
import { sampleSuppression } from '../../contract/mail-suppressions.ts';
import { sampleMail } from '../../contract/mails.ts';
import { sampleOneTimeToken } from '../../contract/one-time-tokens.ts';
import { sampleEvent } from '../../contract/outbox.ts';
import { sampleSignIn } from '../../contract/sign-in-history.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { emptyTables, useMigratedDatabase } from './migrated-database.ts';

const openPool = useMigratedDatabase();
const clock = createManualClock();
const outboxRetentionMs = 1_000;
const failedRetentionMs = 2_000;
const tables = [
  'oidc_artifacts',
  'oidc_ended_indexes',
  'families',
  'revocations',
  'account_index',
  'limits',
  'mails',
  'one_time_tokens',
  'address_changes',
  'recent_sign_ins',
  'mail_suppressions',
  'outbox',
];

async function countRows({ knex }: Database): Promise<number> {
  const counts = tables.map((table) => `(select count(*) from ${table})`).join(' + ');
  const [row] = await rows<{ count: string }>(knex, `select ${counts} as count`);
  return Number(row?.count);
}

/** Inserts one row that expires at the given time. `turn` selects the table. */
async function addRow({ knex: db }: Database, turn: number, expiresAt: number): Promise<void> {
  const key = randomToken();
  const oidc = new PostgresOidcStore({ db, clock });
  const outbox = new PostgresOutbox({ db });
  const makers = [
    () => oidc.put('Session', key, { payload: 'p', expiresAt }),
    () => oidc.endIndex('Session', key, expiresAt),
    () => new PostgresFamilyStore({ db, clock }).end(newId('fam'), expiresAt),
    () => new PostgresRevocationStore({ db, clock }).revoke([`jti:${key}`], expiresAt),
    () =>
      new PostgresAccountIndex({ db, clock }).put(key, {
        kind: 'session',
        id: key,
        details: 'd',
        usedAt: 0,
        expiresAt,
      }),
    () => new PostgresLimits({ db, clock: { now: () => expiresAt - 60_000 } }).forgive(key, 0, 60),
    () => new PostgresMails({ db }).add(sampleMail({ expiresAt: expiresAt - failedRetentionMs })),
    () => new PostgresOneTimeTokens({ db }).replace(sampleOneTimeToken({ expiresAt })),
    () => new PostgresAddressChanges({ db }).request(sampleChange({ expiresAt })),
    async () => {
      const event = sampleEvent();
      await outbox.append(event, sampleSignIn({ at: expiresAt - keptSignInMs }));
      await db('outbox').where({ id: event.id }).delete();
    },
    () => new PostgresMailSuppressions({ db }).add(sampleSuppression({ address: key, expiresAt })),
    async () => {
      const event = sampleEvent();
      await outbox.append(event);
      await outbox.markPublished([event.id], expiresAt - outboxRetentionMs);
    },
  ];
  await makers[turn % makers.length]?.();
}

expiredRowsContract('PostgresExpiredRows', async () => {
  const pool = openPool();
  await emptyTables(pool);
  return {
    rows: new PostgresExpiredRows({ db: pool.knex, outboxRetentionMs, failedRetentionMs }),
    fill: async (count, expiresAt) => {
      for (let turn = 0; turn < count; turn++) await addRow(pool, turn, expiresAt);
    },
    count: () => countRows(pool),
    close: pool.close,
  };
});

test('a consumed artifact stays as long as a repeat must be recognised', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const { knex: db } = pool;
  const store = new PostgresOidcStore({ db, clock });
  const [key, now] = [randomToken(), clock.now()];
  await store.put('AuthorizationCode', key, { payload: 'p', expiresAt: now + 10 });
  await store.consume('AuthorizationCode', key, now, now + 1_000);
  const expired = new PostgresExpiredRows({ db, outboxRetentionMs, failedRetentionMs });
  expect(await expired.sweep(100, now + 999)).toBe(0);
  expect(await expired.sweep(100, now + 1_001)).toBe(1);
});

test('the answer of a refresh is deleted before its family', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const { knex: db } = pool;
  const store = new PostgresFamilyStore({ db, clock });
  const [id, now] = [newId('fam'), clock.now()];
  const times = { payload: 'p', expiresAt: now + 60_000 };
  await store.open({ id, accountId: 'user_1', clientId: 'app', currentHash: 'h', ...times });
  await store.rotate(id, 'h', {
    hash: 'i',
    ...times,
    storedResponse: { sealed: 'secret', until: now + 1_000 },
  });
  const expired = new PostgresExpiredRows({ db, outboxRetentionMs, failedRetentionMs });
  expect(await expired.sweep(100, now + 999)).toBe(0);
  expect(await expired.sweep(100, now + 1_000)).toBe(1);
  expect(await rows(db, 'select answer, answer_until from families', {})).toEqual([
    { answer: null, answer_until: null },
  ]);
  expect(await store.find(id)).toMatchObject({ currentHash: 'i' });
});

test('unpublished events stay, however old they are', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const outbox = new PostgresOutbox({ db: pool.knex });
  const [waiting, poison] = [sampleEvent({ time: 1 }), sampleEvent({ time: 1 })];
  await outbox.append(waiting);
  await outbox.append(poison);
  await outbox.markFailed(poison.id, 'too large', undefined);
  const expired = new PostgresExpiredRows({ db: pool.knex, outboxRetentionMs, failedRetentionMs });
  expect(await expired.sweep(100, clock.now() + 10 * outboxRetentionMs)).toBe(0);
  expect(await outbox.depth()).toMatchObject({ pending: 1, setAside: 1 });
});

test('an artifact that is renewed during the sweep stays', async () => {
  const pool = openPool();
  await emptyTables(pool);
  const now = clock.now();
  const [key, swept] = [
    randomToken(),
    new PostgresExpiredRows({ db: pool.knex, outboxRetentionMs, failedRetentionMs }),
  ];
  await new PostgresOidcStore({ db: pool.knex, clock }).put('Session', key, {
    payload: 'p',
    expiresAt: now - 1,
  });
  const other = openPool(1);
  await other.knex.transaction(async (db) => {
    await new PostgresOidcStore({ db, clock }).put('Session', key, { payload: 'p', expiresAt: now + 1_000 });
    expect(await swept.sweep(100, now)).toBe(0);
  });
  expect(await swept.sweep(100, now)).toBe(0);
  expect(await countRows(pool)).toBe(1);
});
