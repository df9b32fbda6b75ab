import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PostgresAccountStore } from '../../../adapters/postgres/account-store.ts';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import { migrations } from '../../../adapters/postgres/migrations/migrations.ts';
import { PostgresSchema } from '../../../adapters/postgres/schema.ts';
import { affected, rows } from '../../../adapters/postgres/sql.ts';
import { sampleAccount } from '../../contract/account-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/databases.ts';

const name = '0015-normal-addresses';

describe('the migration to normal addresses', () => {
  let database: TestDatabase;
  let pool: Database;
  beforeEach(async () => {
    database = await createTestDatabase();
    pool = openDatabase({ url: database.url, poolMax: 2 });
    const earlier = migrations.filter((migration) => migration.name < name);
    await new PostgresSchema({ db: pool.knex, list: earlier }).migrate();
  });
  afterEach(async () => {
    await pool.close();
    await database.drop();
  });

  const schema = () => new PostgresSchema({ db: pool.knex });
  const store = () => new PostgresAccountStore({ db: pool.knex });
  const idOf = async (email: string) => (await store().findByEmail(email))?.id;
  /** Writes an account as the release before the migration does. */
  const add = (id: string, email: string, { state = 'active', createdAt = 1_700_000_000_000 } = {}) =>
    affected(
      pool.knex,
      `insert into accounts (id, email, email_key, email_verified, roles, metadata, state, generation, created_at,
         updated_at)
       values (:id, :email, :key, false, '[]', '{}', :state, 0, :createdAt, :createdAt)`,
      { id, email, key: email.normalize('NFC').toLowerCase().normalize('NFC'), state, createdAt },
    );
  const everything = () => rows(pool.knex, 'select * from accounts order by id');
  /** Finds an account as the release before the migration does. */
  const idBefore = async (key: string) =>
    (await rows<{ id: string }>(pool.knex, 'select id from accounts where email_key = :key', { key }))[0]?.id;

  test('accounts are then found in every spelling, and their addresses stay as they were typed', async () => {
    await add('user_a', 'Ann@Example.com');
    await add('user_b', 'ben@Bücher.example');
    await add('user_c', 'céline@example.com');
    await add('user_d', 'dora@example.com.');
    await add('user_e', 'ed@xn--bcher-kva.example');
    await schema().migrate();
    expect(await idOf('ann@example.com.')).toBe('user_a');
    expect(await idOf('ben@xn--bcher-kva.example')).toBe('user_b');
    expect(await idOf('CÉLINE@example.com')).toBe('user_c');
    expect(await idOf('dora@example.com')).toBe('user_d');
    expect(await idOf('ed@bücher.example')).toBe('user_e');
    expect((await store().list(undefined, 10)).map(({ email }) => email)).toEqual([
      'Ann@Example.com',
      'ben@Bücher.example',
      'céline@example.com',
      'dora@example.com.',
      'ed@xn--bcher-kva.example',
    ]);
  });

  test('all accounts that have one address are reported at once, and nothing changes', async () => {
    await add('user_a', 'john@bücher.example');
    await add('user_b', 'John@xn--bcher-kva.example', { createdAt: 1_600_000_000_000 });
    await add('user_c', 'jane@example.com');
    await add('user_d', 'jane@example.com.');
    await add('user_e', 'jane@ｅxample.com', { state: 'disabled' });
    await add('user_f', 'alone@bücher.example');
    const before = await everything();
    const pending = await schema().pending();
    await expect(schema().migrate()).rejects.toMatchObject({
      name: 'MigrationRefused',
      message: expect.stringContaining('gatehouse accounts disable <id>'),
      problems: [
        'John@xn--bcher-kva.example (user_b, active, created 2020-09-13T12:26:40.000Z), john@bücher.example (user_a, active, created 2023-11-14T22:13:20.000Z)',
        expect.stringMatching(
          /^jane@.* \(user_[cd], active, .* \(user_[cd], active, .* \(user_e, disabled, /,
        ),
      ].sort(),
    });
    expect(await schema().pending()).toEqual(pending);
    expect(await everything()).toEqual(before);
  });

  test('no migration before it is applied when it is refused', async () => {
    await add('user_a', 'john@bücher.example');
    await add('user_b', 'john@xn--bcher-kva.example');
    const first = {
      name: '0015-first',
      up: (sql: (text: string) => Promise<void>) => sql('create table a ()'),
    };
    const list = [first, ...migrations.filter((migration) => migration.name === name)];
    const both = new PostgresSchema({ db: pool.knex, list });
    await expect(both.migrate()).rejects.toThrow(/was not changed/);
    expect(await both.pending()).toEqual(['0015-first', name]);
    await affected(pool.knex, "update accounts set state = 'disabled' where id = 'user_a'");
    expect(await both.migrate()).toEqual(['0015-first', name]);
  });

  test('of accounts with one address the only active one keeps it, and the others keep everything else', async () => {
    await add('user_a', 'john@bücher.example', { state: 'disabled' });
    await add('user_b', 'john@xn--bcher-kva.example');
    await add('user_c', 'john@bücher.example.', { state: 'disabled' });
    await add('user_d', 'jane@example.com.', { state: 'disabled', createdAt: 2 });
    await add('user_e', 'jane@example.com', { state: 'disabled', createdAt: 1 });
    await schema().migrate();
    for (const domain of ['bücher.example', 'xn--bcher-kva.example', 'bücher.example.'])
      expect(await idOf(`john@${domain}`)).toBe('user_b');
    for (const domain of ['example.com', 'example.com.']) expect(await idOf(`jane@${domain}`)).toBe('user_e');
    expect(await store().findById('user_a')).toMatchObject({
      email: 'john@bücher.example',
      state: 'disabled',
    });
    expect(await idOf('WITHOUT ADDRESS user_a')).toBeUndefined();
    expect(await store().insert(sampleAccount({ email: 'JOHN@bücher.example' }))).toBe(false);
    expect(await store().list(undefined, 10)).toHaveLength(5);
  });

  test('the release before it still finds and creates accounts, and this release finds those', async () => {
    await add('user_a', 'ann@bücher.example');
    await schema().migrate();
    expect(await idBefore('ann@bücher.example')).toBe('user_a');
    const made = sampleAccount({ email: 'Ben@Bücher.example' });
    await store().insert(made);
    expect(await idBefore('ben@bücher.example')).toBe(made.id);
    await add('user_c', 'carl@example.com');
    await add('user_d', 'dora@bücher.example');
    expect(await idOf('CARL@example.com.')).toBe('user_c');
    expect(await idOf('Dora@bücher.example')).toBe('user_d');
    expect(await store().insert(sampleAccount({ email: 'dora@BÜCHER.example' }))).toBe(false);
    await expect(add('user_e', 'ann@xn--bcher-kva.example')).rejects.toMatchObject({ code: '23505' });
  });
});
