import { Client } from 'pg';
import { startDockerPostgres, startLocalPostgres } from '../../support/servers/postgres.ts';

/** A Postgres of one test, which checks the passwords of all roles but its owner. */
export interface ScramServer {
  /** The URL of the owner, who needs no password. */
  url: string;
  /** Runs one statement as the owner. */
  run(sql: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a separate Postgres, because the one that tests share checks no passwords. */
export async function startScramServer(): Promise<ScramServer> {
  const server = (await startLocalPostgres()) ?? (await startDockerPostgres());
  const owner = new URL(server.url).username;
  const admin = new Client({ connectionString: server.url });
  await admin.connect();
  const { rows } = await admin.query('show hba_file');
  const rules = ['0.0.0.0/0', '::/0'].flatMap((range) => [
    `host all ${owner} ${range} trust`,
    `host all all ${range} scram-sha-256`,
  ]);
  const lines = rules.map((rule) => `(${admin.escapeLiteral(rule)})`).join(', ');
  await admin.query(`copy (values ${lines}) to ${admin.escapeLiteral(rows[0].hba_file)}`);
  await admin.query('select pg_reload_conf()');
  return {
    url: server.url,
    run: async (sql) => void (await admin.query(sql)),
    stop: async () => {
      await admin.end();
      await server.stop();
    },
  };
}
