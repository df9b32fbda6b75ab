import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PostgresAccountStore } from '../../adapters/postgres/account-store.ts';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { accountLines, importAccounts } from '../../provider/accounts/import/import-accounts.ts';
import type { Account, AccountStore } from '../../provider/ports/account-store.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { firebaseAccount, firebaseParameters, oddHashes } from './foreign-hashes.ts';
import { createImportWorld, exported } from './import-world.ts';

const texts = [
  '\0',
  'line\nbreak\r\n',
  '\u2028\u2029\u0085',
  '\ud800 alone',
  '" \\ \t 🔑',
  '__proto__',
  '\ufeff',
];

const hashes = [
  undefined,
  '$argon2i$v=19$m=512,p=1,t=2$jh2EyVYs9kdV6Ze+fRwUdg$dHe8e2gp+wdPzfXg349vIVzpnp/UJHYovwMNIwsKIbg',
  ...oddHashes.map(([, stored]) => stored),
];

/** More accounts than fit on a page, with all kinds of values. */
const samples: Account[] = Array.from({ length: 1100 }, (_, index) =>
  sampleAccount({
    email: `Ünï${index}@Example.com`,
    passwordHash: hashes[index % hashes.length],
    roles: [['CLIENT'], [], ['ADMIN', 'CLIENT', 'ADMIN']][index % 3] ?? [],
    metadata: { [`key ${texts[index % texts.length]}`]: texts, 10: 1.5e300, 9: [{ deep: [null, 0, ''] }] },
    emailVerified: index % 2 === 0,
    state: index % 7 === 0 ? 'disabled' : 'active',
    tokenVersion: index % 5,
    createdAt: Date.UTC(1999, 1, 1) + index,
    updatedAt: Date.UTC(2026, 1, 1) + index * 997,
  }),
);

/** Splits the text into pieces as a file reader does. A piece may end within a line or a character. */
async function* pieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function importInto(accounts: AccountStore, text: string, size = 1000) {
  const { unitOfWork, newEvent, clock, keys } = createImportWorld();
  const problems: unknown[] = [];
  const summary = await importAccounts({
    lines: accountLines(pieces(text, size)),
    accounts,
    unitOfWork,
    newEvent,
    keys: async () => keys,
    clock,
    roles: new Set(['CLIENT', 'ADMIN']),
    problem: (problem) => problems.push(problem),
  });
  expect(problems).toEqual([]);
  return summary;
}

describe('an export', () => {
  test('has one line for each account, in the order of the ids, with all fields', async () => {
    const world = createImportWorld();
    const full = sampleAccount({ id: 'user_b', email: 'ann@example.com', metadata: { a: '\u2028' } });
    const bare = sampleAccount({ id: 'user_a', email: 'ben@example.com', passwordHash: undefined });
    await world.store.insertMany([full, bare]);
    expect((await world.export()).split('\n')).toEqual([
      '{"id":"user_a","email":"ben@example.com","emailVerified":false,"roles":["CLIENT"],"metadata":{"plan":"gold","nested":{"list":[1,null,"ü"]}},"disabled":false,"generation":0,"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}',
      `{"id":"user_b","email":"ann@example.com","emailVerified":false,"passwordHash":"${full.passwordHash}","roles":["CLIENT"],"metadata":{"a":"\u2028"},"disabled":false,"generation":0,"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}`,
      '',
    ]);
  });

  test('is empty if there are no accounts', async () => {
    expect(await createImportWorld().export()).toBe('');
  });

  test("writes Firebase's hashes in a form that can be imported without parameters", async () => {
    const world = createImportWorld();
    const { passwordHash, salt } = firebaseAccount;
    const line = { email: 'ann@example.com', firebase: { passwordHash, salt } };
    await world.import([line], { firebase: firebaseParameters });
    const text = await world.export();
    const another = createImportWorld();
    await importInto(another.store, text);
    expect(await another.export()).toBe(text);
  });
});

describe('export, import, export', () => {
  test.each([1, 7, 65_536])('gives the same bytes and accounts, read %d bytes at a time', async (size) => {
    const world = createImportWorld();
    const some = samples.slice(0, size === 1 ? 20 : 200);
    await world.store.insertMany(some);
    const text = await world.export();
    const another = createImportWorld();
    expect(await importInto(another.store, text, size)).toMatchObject({ imported: some.length, failed: 0 });
    expect(await another.export()).toBe(text);
    for (const account of some) expect(await another.store.findById(account.id)).toEqual(account);
    expect(await importInto(another.store, text, size)).toMatchObject({
      unchanged: some.length,
      imported: 0,
    });
  });

  describe('on Postgres', () => {
    let databases: TestDatabase[];
    let pools: Database[];
    beforeAll(async () => {
      databases = [await createTestDatabase(), await createTestDatabase()];
      pools = databases.map(({ url }) => openDatabase({ url }));
      for (const { knex } of pools) await new PostgresSchema({ db: knex }).migrate();
    });
    afterAll(async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await Promise.all(databases.map((database) => database.drop()));
    });

    test('gives the same bytes and accounts, in pages and batches', async () => {
      const [from, to] = pools.map(({ knex }) => new PostgresAccountStore({ db: knex }));
      if (!from || !to) throw new Error('there are two databases');
      expect(await from.insertMany(samples)).toHaveLength(samples.length);
      const text = await exported(from);
      expect(text.trimEnd().split('\n')).toHaveLength(samples.length);
      expect(await importInto(to, text)).toMatchObject({ imported: samples.length, failed: 0 });
      expect(await exported(to)).toBe(text);
      for (const account of samples.slice(0, 50)) expect(await to.findById(account.id)).toEqual(account);
      expect(await importInto(to, text)).toMatchObject({ unchanged: samples.length, imported: 0 });
    });
  });
});

describe('the lines of a file', () => {
  const lines = async (text: string, size: number) => {
    const found: string[] = [];
    for await (const line of accountLines(pieces(text, size))) found.push(Buffer.from(line).toString());
    return found;
  };

  test.each([1, 2, 3, 100])('end only at \\n, if they are read in pieces of %d bytes', async (size) => {
    expect(await lines('é\u2028a\r\n\n\nb\u0085c', size)).toEqual(['é\u2028a\r', '', '', 'b\u0085c']);
    expect(await lines('a\n', size)).toEqual(['a']);
    expect(await lines('', size)).toEqual([]);
  });

  test('are truncated if they are too long, and the next lines are read', async () => {
    const long = Readable.from(
      (function* () {
        for (let piece = 0; piece < 40; piece += 1) yield Buffer.alloc(100_000, 'x');
        yield Buffer.from('\nshort\n');
      })(),
    );
    const lengths: number[] = [];
    for await (const line of accountLines(long)) lengths.push(line.length);
    expect(lengths).toEqual([1_048_577, 5]);
  });
});
