import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { IamTokens } from '../../../adapters/aws/iam-tokens.ts';
import { type Database, openDatabase } from '../../../adapters/postgres/database.ts';
import { rows } from '../../../adapters/postgres/sql.ts';
import { systemClock } from '../../../provider/lib/clock.ts';
import { StoreUnavailable } from '../../../provider/lib/errors.ts';
import { testCertificate } from '../../support/certificate.ts';
import { createTestDatabase, type TestDatabase } from '../../support/databases.ts';
import { iamCredentials, iamRegion } from '../../support/iam-token.ts';
import { type IamFront, startRdsFront } from '../../support/servers/iam-fronts.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;
let database: TestDatabase;
let rds: IamFront;
let pool: Database | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  database = await createTestDatabase();
  rds = await startRdsFront(database.url);
  await writeFile(join(folder, 'bundle.pem'), rds.certificate.cert);
  await writeFile(join(folder, 'other.pem'), testCertificate().cert);
});
afterEach(async () => {
  rds.refuseAll(false);
  await pool?.close();
});
afterAll(async () => {
  await rds?.stop();
  await database?.drop();
  await rm(folder, { recursive: true });
});

function open(bundle: string): Database {
  const { username, pathname } = new URL(database.url);
  const address = { host: 'localhost', port: rds.port, user: username };
  const openedAt = systemClock.now();
  let made = 0;
  pool = openDatabase({
    url: `postgres://${username}@localhost:${rds.port}${pathname}?sslmode=verify-full&sslrootcert=${join(folder, bundle)}`,
    credentials: {
      current: async () => {
        // Two tokens of the same second are equal: the time in them has no fraction.
        made += 1;
        const at = openedAt - made * 1000;
        const tokens = new IamTokens({
          clock: { ...systemClock, now: () => at },
          region: iamRegion,
          credentials: async () => iamCredentials,
        });
        return { password: await tokens.forDatabase(address) };
      },
    },
  });
  return pool;
}

describe('IAM tokens of RDS', () => {
  test('each new connection has a new token, over TLS that the file in sslrootcert verifies', async () => {
    const one = open('bundle.pem');
    const before = rds.accepted.length;
    await Promise.all(Array.from({ length: 3 }, () => rows(one.knex, 'select pg_sleep(0.2)')));
    expect(rds.accepted.length).toBe(before + 3);
    rds.cut();
    await waitFor(() => one.ping().then(() => true));
    expect(rds.accepted.length).toBeGreaterThan(before + 3);
    expect(new Set(rds.accepted).size).toBe(rds.accepted.length);
  });

  test('no token reaches a server with a certificate of another authority', async () => {
    const seen = () => rds.accepted.length + rds.refused.length;
    const before = seen();
    await expect(open('other.pem').ping()).rejects.toThrow(StoreUnavailable);
    expect(seen()).toBe(before);
  });

  test('a refused token is explained, and is not tried again for the same connection', async () => {
    rds.refuseAll();
    const before = rds.refused.length;
    const failure = await open('bundle.pem')
      .ping()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnavailable);
    const { message } = (failure as StoreUnavailable).cause as Error;
    expect(message).toContain('PAM authentication failed for user');
    expect(message).toContain('RDS refused the IAM token');
    expect(message).toContain('rds-db:connect');
    expect(rds.refused.length).toBe(before + 1);
  });
});
