import { Client } from 'pg';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { migrations } from '../../adapters/postgres/migrations/migrations.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { createTestDatabase } from '../support/databases.ts';
import { provideServers } from '../support/servers/provide.ts';

/**
 * `make bench-migrations`: applies each migration that is newer than the last release to tables with many rows, and
 * measures how long readers and writers of these tables waited. Fails when one waited for more than a second (G8).
 */
/** The newest migration of the last release. Earlier ones are applied to the empty tables of a new installation. */
const lastReleased = '0018-leases';
const rowCount = Number(process.env.MIGRATION_ROWS ?? 5_000_000);
const longestWaitMs = 1_000;

/** The statement that fills a table, and a write to it that changes nothing. */
const largeTables: Record<string, { fill: string; write: string }> = {
  accounts: {
    fill: `insert into accounts (id, email, email_key, email_verified, roles, metadata, state, generation, created_at, updated_at)
      select 'user_' || n, n || '@example.com', n || '@example.com', true, '["CLIENT"]', '{"name":"Ann"}', 'active', 0, 0, 0
      from generate_series(1, $1::int) n`,
    write: `update accounts set generation = generation where id = 'user_1'`,
  },
  outbox: {
    fill: `insert into outbox (id, type, version, time, subject, data, published_at)
      select 'evt_' || n, 'user.login', 1, 0, 'user_' || n, '{}', 1 from generate_series(1, $1::int) n`,
    write: `update outbox set attempts = attempts where id = 'evt_1'`,
  },
  families: {
    fill: `insert into families (id, account_id, client_id, current_hash, payload, expires_at)
      select 'fam_' || n, 'user_' || n, 'app', 'hash', 'sealed', 0 from generate_series(1, $1::int) n`,
    write: `update families set ended = ended where id = 'fam_1'`,
  },
};

/** Reads and writes a table again and again. `longest` is the longest time that one round took, in milliseconds. */
function watchTable(url: string, table: string, write: string) {
  let stopped = false;
  let longest = 0;
  const watching = (async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    while (!stopped) {
      const begin = performance.now();
      await client.query(`select 1 from ${table} limit 1`);
      await client.query(write);
      longest = Math.max(longest, performance.now() - begin);
    }
    await client.end();
  })();
  return async () => {
    stopped = true;
    await watching;
    return { table, longest: Math.round(longest) };
  };
}

const say = (text: string) => void process.stdout.write(`${text}\n`);
const stopServers = await provideServers();
const { url, drop } = await createTestDatabase();
const pool = openDatabase({ url, poolMax: 1 });
const filler = new Client({ connectionString: url });
await filler.connect();
try {
  const released = migrations.filter(({ name }) => name <= lastReleased);
  await new PostgresSchema({ db: pool.knex, list: released }).migrate();
  for (const { fill } of Object.values(largeTables)) await filler.query(fill, [rowCount]);
  say(
    `| migration | seconds | longest wait of a reader or writer, with ${rowCount} rows in each table |\n|---|---|---|`,
  );
  for (const [index, { name }] of migrations.entries()) {
    if (index < released.length) continue;
    const watches = Object.entries(largeTables).map(([table, { write }]) => watchTable(url, table, write));
    const begin = performance.now();
    await new PostgresSchema({ db: pool.knex, list: migrations.slice(0, index + 1) }).migrate();
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const waits = await Promise.all(watches.map((stop) => stop()));
    const told = waits.map(({ table, longest }) => `${table} ${longest} ms`).join(', ');
    say(`| ${name} | ${seconds} | ${told} |`);
    if (waits.some(({ longest }) => longest > longestWaitMs)) process.exitCode = 1;
  }
  if (process.exitCode === 1) say(`A migration made a caller wait for more than ${longestWaitMs} ms.`);
} finally {
  await filler.end();
  await pool.close();
  await drop();
  await stopServers();
}
