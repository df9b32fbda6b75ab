import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { demo, type FleetDeployment, startServers } from '../support/deployment.ts';
import { iamCredentials, iamRegion } from '../support/iam-token.ts';
import { callJsonApi } from '../support/json-api.ts';
import { runProgram } from '../support/program.ts';
import { testRedisUrl } from '../support/redis.ts';
import { type IamFront, startElastiCacheFront, startRdsFront } from '../support/servers/iam-fronts.ts';
import { waitFor } from '../support/wait-for.ts';

describe('a deployment that signs in to its stores with IAM tokens', () => {
  let folder: string;
  let [database, rds, cache, deployment]: [TestDatabase?, IamFront?, IamFront?, FleetDeployment?] = [];
  let env: Record<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
    database = await createTestDatabase();
    rds = await startRdsFront(database.url);
    cache = await startElastiCacheFront(testRedisUrl(), 'gatehouse');
    const write = async (name: string, { certificate }: IamFront) => {
      await writeFile(join(folder, name), certificate.cert);
      return join(folder, name);
    };
    const { username, pathname } = new URL(database.url);
    const tls = `sslmode=verify-full&sslrootcert=${await write('rds.pem', rds)}`;
    env = {
      AWS_REGION: iamRegion,
      AWS_ACCESS_KEY_ID: iamCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: iamCredentials.secretAccessKey,
      AWS_SESSION_TOKEN: iamCredentials.sessionToken,
      GATEHOUSE_DATABASE_URL: `postgres://${username}@localhost:${rds.port}${pathname}?${tls}`,
      GATEHOUSE_DATABASE_PASSWORD: 'rds-iam:',
      GATEHOUSE_REDIS_URL: `rediss://gatehouse-user@localhost:${cache.port}`,
      GATEHOUSE_REDIS_PASSWORD: 'elasticache-iam:gatehouse',
      GATEHOUSE_REDIS_CA_FILE: await write('redis.pem', cache),
    };
    deployment = await startServers({ processes: 1, env });
  }, 120_000);
  afterEach(() => {
    rds?.refuseAll(false);
    cache?.refuseAll(false);
  });
  afterAll(async () => {
    await deployment?.stop();
    await Promise.all([rds?.stop(), cache?.stop()]);
    await database?.drop();
    await rm(folder, { recursive: true });
  });

  const login = async () => {
    if (deployment === undefined) throw new Error('nothing was started');
    return callJsonApi(deployment, '/auth/login', { email: demo.email, password: demo.password });
  };
  const output = () => deployment?.programs.map((program) => program.output()).join('') ?? '';

  test('people sign in, and new connections use tokens of their time', async () => {
    expect((await login()).status).toBe(200);
    const [ofDatabase, ofCache] = [rds?.accepted.at(-1), cache?.accepted.at(-1)];
    // Two tokens of the same second are equal.
    const second = Math.floor(Date.now() / 1000);
    await waitFor(() => Math.floor(Date.now() / 1000) > second, { what: 'a second in which tokens differ' });
    rds?.cut();
    cache?.cut();
    await waitFor(async () => (await login()).status === 200);
    expect(rds?.accepted.at(-1)).not.toBe(ofDatabase);
    expect(cache?.accepted.at(-1)).not.toBe(ofCache);
    expect([rds?.refused, cache?.refused]).toEqual([[], []]);
    expect(output()).not.toMatch(/X-Amz-/);
  });

  test('the log says what it means that RDS refuses a token, and does not show the token', async () => {
    rds?.refuseAll();
    rds?.cut();
    await waitFor(async () => (await login()).status === 503);
    await waitFor(() => output().includes('RDS refused the IAM token'));
    expect(output()).toContain('PAM authentication failed for user');
    expect(output()).not.toMatch(/X-Amz-/);
  });

  test('without a region a command ends with a sentence that says what to do', async () => {
    const settings = { ...deployment?.env, AWS_REGION: '', AWS_CONFIG_FILE: '/dev/null' };
    const program = runProgram(['migrate'], { env: settings, cwd: folder });
    expect(await program.ended).not.toBe(0);
    expect(program.output()).toContain('No IAM token can be made');
    expect(program.output()).toContain('Set AWS_REGION');
  });
});
