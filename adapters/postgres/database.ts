import knexModule, { type Knex } from 'knex';
import type { Client } from 'pg';
import type { Dependency } from '../../provider/ports/dependency.ts';
import { connectionSettings } from './connection-settings.ts';
import { createCredentialedOpen, type DatabaseCredentials } from './credentials.ts';
import { rows } from './sql.ts';
import { spoilsConnection } from './store-errors.ts';

export interface ServerOptions {
  /** `postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=…` */
  url: string;
  /**
   * Asked for every new connection, so that a rotated credential is used. It takes precedence over user name and
   * password in the URL.
   */
  credentials?: DatabaseCredentials | undefined;
  /** How long a connection that the server refused looks for an accepted credential, in milliseconds. The default is 4,000. */
  credentialBudgetMs?: number | undefined;
  /** The maximum number of connections. The default is 10. */
  poolMax?: number | undefined;
  /** The name that the server shows in pg_stat_activity. The default is `gatehouse`. */
  applicationName?: string | undefined;
  /** The server ends a statement after this time, in milliseconds. The default is 10,000. */
  statementTimeoutMs?: number | undefined;
  /** An attempt to connect fails after this time, in milliseconds. The default is 5,000. */
  connectTimeoutMs?: number | undefined;
}

export interface EmbeddedOptions {
  /** An existing connection to the embedded database. The pool consists of this one connection. */
  connection: Knex.PgConnectionConfig;
}

export type DatabaseOptions = (ServerOptions | EmbeddedOptions) & {
  /** A caller waits for a free connection at most this long, in milliseconds. The default is 5,000. */
  acquireTimeoutMs?: number | undefined;
  /** Receives the pool's warnings about lost connections, for the log. */
  warn?: ((message: string) => void) | undefined;
};

export interface Database extends Dependency {
  /** For the stores of this folder. */
  readonly knex: Knex;
}

/** A connection counts as lost if the server has not answered this long after its own statement timeout. */
const silenceMs = 2_000;

/**
 * The server ends a transaction whose client was idle for this long. The client may have died without closing the
 * connection.
 */
const idleInTransactionMs = 30_000;

type Answered = (error: Error | null, result: unknown) => void;

/** Ends unusable connections. The pool does not hand out a connection again while it is being closed. */
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
  return {
    connection: {
      ...settings,
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

/** What we use of knex's client, which opens every connection of the pool. It has no types. */
interface ConnectionOpener {
  connectionSettings: Knex.PgConnectionConfig;
  acquireRawConnection(): Promise<Client>;
}

const openerOf = (pool: Knex): ConnectionOpener => pool.client;

/** Opens a connection outside the pool, with the settings and the present credential of the pool. Its caller ends it. */
export const openConnection = (pool: Knex): Promise<Client> => openerOf(pool).acquireRawConnection();

/** Makes each new connection use the credential of its time. */
function useCredentials(pool: Knex, options: ServerOptions): void {
  if (!options.credentials) return;
  const opener = openerOf(pool);
  const open = opener.acquireRawConnection.bind(opener);
  const settings = opener.connectionSettings;
  opener.acquireRawConnection = createCredentialedOpen(
    options.credentials,
    options.credentialBudgetMs ?? 4_000,
    ({ user = settings.user, password }) => {
      // knex reads the settings before it waits for anything, so parallel connections don't mix their credentials.
      opener.connectionSettings = { ...settings, ...(user !== undefined && { user }), password };
      return open();
    },
  );
}

/**
 * Creates a bounded pool. It connects when it is first used. `ping` and every query of the stores throw
 * StoreUnavailable when the database can't be reached or does not answer within the connect, acquire and statement
 * timeouts.
 *
 * @throws ConfigurationError for a URL that is not valid
 */
export function openDatabase(options: DatabaseOptions): Database {
  const { acquireTimeoutMs = 5_000, warn = () => {} } = options;
  // Node can't see the named exports of knex, which is a CommonJS package.
  const pool = knexModule.knex({
    client: 'pg',
    ...('url' in options
      ? serverConfig(options)
      : { connection: options.connection, pool: { min: 0, max: 1 } }),
    acquireConnectionTimeout: acquireTimeoutMs,
    // Error messages must not contain values.
    compileSqlOnError: false,
    log: { warn, error: warn, deprecate: warn, debug: () => {} },
  });
  if ('url' in options) useCredentials(pool, options);
  return {
    name: 'postgres',
    knex: pool,
    ping: async () => {
      await rows(pool, 'select 1');
    },
    close: () => pool.destroy(),
  };
}
