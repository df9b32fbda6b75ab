import knexModule, { type Knex } from 'knex';
import type { Client } from 'pg';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import type { Dependency } from '../../provider/ports/dependency.ts';
import { connectionSettings } from './connection-settings.ts';
import { rows } from './sql.ts';
import { spoilsConnection } from './store-errors.ts';

export interface ServerOptions {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=…` */
  url: string;
  /** Asked for every new connection, so a rotated password is picked up. Goes before the URL's. */
  password?: (() => Promise<string>) | undefined;
  /** The maximum number of connections; the default is 10. */
  poolMax?: number | undefined;
  /** What the server shows in pg_stat_activity; `gatehouse` unless told. */
  applicationName?: string | undefined;
  /** After this the server ends a statement; 10,000 unless told. */
  statementTimeoutMs?: number | undefined;
  /** After this a connection that can't be made is given up; 5,000 unless told. */
  connectTimeoutMs?: number | undefined;
}

export interface EmbeddedOptions {
  /** A connection that is there already, from the embedded database. The pool is this one. */
  connection: Knex.PgConnectionConfig;
}

export type DatabaseOptions = (ServerOptions | EmbeddedOptions) & {
  /** After this a caller stops waiting for a free connection; 5,000 unless told. */
  acquireTimeoutMs?: number | undefined;
  /** What the pool has to say about lost connections; for the log. */
  warn?: ((message: string) => void) | undefined;
};

export interface Database extends Dependency {
  /** For the stores of this folder. */
  readonly knex: Knex;
}

/** How much longer than the server's own limit an answer may take before the connection counts as lost. */
const silenceMs = 2_000;

/**
 * The server ends a transaction after its client was idle for this long: the client may have died without closing it.
 */
const idleInTransactionMs = 30_000;

type Answered = (error: Error | null, result: unknown) => void;

/** Ends connections that are spoiled, and keeps the pool from handing them out while they end. */
function spoilWatch(): Knex.PoolConfig {
  const spoiled = new WeakSet<Client>();
  const watch = (connection: Client) => {
    const send = connection.query.bind(connection) as unknown as (query: unknown, done: Answered) => unknown;
    const watched = (query: unknown, done: Answered) =>
      send(query, (error, result) => {
        if (error && spoilsConnection(error)) {
          spoiled.add(connection);
          void connection.end();
        }
        done(error, result);
      });
    connection.query = watched as unknown as Client['query'];
  };
  return {
    afterCreate: (connection: Client, done: (error: null, connection: Client) => void) => {
      watch(connection);
      done(null, connection);
    },
    validate: (connection: Client) => !spoiled.has(connection),
  };
}

function serverConfig(options: ServerOptions): Pick<Knex.Config, 'connection' | 'pool'> {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const settings = connectionSettings(options.url);
  const provide = options.password;
  const password = provide
    ? () => provide().catch((cause: unknown) => Promise.reject(new StoreUnavailable('postgres', cause)))
    : settings.password;
  return {
    connection: {
      ...settings,
      ...(password !== undefined && { password }),
      application_name: options.applicationName ?? 'gatehouse',
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + silenceMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      keepAlive: true,
    },
    pool: { min: 0, max: options.poolMax ?? 10, ...spoilWatch() },
  };
}

/**
 * Opens a bounded pool; connects when first used. `ping` and every query of the stores throw StoreUnavailable
 * within connect, acquire and statement timeouts. Throws ConfigurationError for a bad URL.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { acquireTimeoutMs = 5_000, warn = () => {} } = options;
  // Node finds no named export in knex's CommonJS.
  const pool = knexModule.knex({
    client: 'pg',
    ...('url' in options
      ? serverConfig(options)
      : { connection: options.connection, pool: { min: 0, max: 1 } }),
    acquireConnectionTimeout: acquireTimeoutMs,
    // Values must not get into error messages.
    compileSqlOnError: false,
    log: { warn, error: warn, deprecate: warn, debug: () => {} },
  });
  return {
    name: 'postgres',
    knex: pool,
    ping: async () => {
      await rows(pool, 'select 1');
    },
    close: () => pool.destroy(),
  };
}
