import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { randomToken } from '../../provider/lib/ids.ts';
import { type ScramServer, startScramServer } from '../adapters/postgres/scram-server.ts';
import { type OwnRedis, startOwnRedis } from '../adapters/redis/own-redis.ts';
import { demo, type FleetDeployment, startServers } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { type DecidingProxy, openAwsProxy } from '../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../support/servers/moto.ts';
import { createTestClient } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';

/** The address that gives a pod its AWS credentials. It refuses the first requests, as that of a new pod may do. */
async function startCredentialsAddress(
  refusals: number,
): Promise<{ server: Server; url: string; asked(): number }> {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.statusCode = asked > refusals ? 200 : 404;
    response.end(
      JSON.stringify({
        AccessKeyId: 'testing',
        SecretAccessKey: 'testing',
        Token: 'testing',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked };
}

const unusedEnvironment = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' };

describe('a deployment whose secrets are in AWS Secrets Manager', () => {
  let [moto, postgres, redis, aws]: [Moto?, ScramServer?, OwnRedis?, DecidingProxy?] = [];
  let admin: SecretsManagerClient;
  let redisAdmin: Redis;
  let pod: Awaited<ReturnType<typeof startCredentialsAddress>>;
  let deployment: FleetDeployment;
  const first = randomToken(16);

  const put = (id: string, value: object | string, stage = 'AWSCURRENT') =>
    admin.send(
      new PutSecretValueCommand({
        SecretId: id,
        SecretString: typeof value === 'string' ? value : JSON.stringify(value),
        VersionStages: [stage],
      }),
    );
  const setRedisPassword = (password: string) =>
    redisAdmin.acl('SETUSER', 'app', 'reset', 'on', 'allcommands', 'allkeys', 'allchannels', `>${password}`);
  const setRolePassword = (password: string) => postgres?.run(`alter role app password '${password}'`);
  const login = () => callJsonApi(deployment, '/auth/login', { email: demo.email, password: demo.password });
  const clientToken = async (secret: string) =>
    (await createTestClient(deployment, { id: 'from-aws', secret }).clientCredentials()).status;

  beforeAll(async () => {
    [moto, postgres, redis] = await Promise.all([startMoto(), startScramServer(), startOwnRedis()]);
    aws = await openAwsProxy(moto.url);
    pod = await startCredentialsAddress(2);
    admin = new SecretsManagerClient(moto.client);
    redisAdmin = new Redis(redis.directUrl());
    await postgres.run(`create role app login password '${first}'`);
    await postgres.run('create database gatehouse owner app');
    await setRedisPassword(first);
    const pair = { engine: 'postgres', username: 'app', password: first };
    for (const [Name, value] of [
      ['gatehouse/db', JSON.stringify(pair)],
      ['gatehouse/redis', JSON.stringify({ username: 'app', password: first })],
      ['gatehouse/server', randomToken(40)],
      ['gatehouse/clients', JSON.stringify({ service: 'client-secret-1' })],
    ] as const)
      await admin.send(new CreateSecretCommand({ Name, SecretString: value }));
    const databaseUrl = new URL(postgres.url);
    [databaseUrl.username, databaseUrl.pathname] = ['', '/gatehouse'];
    deployment = await startServers({
      processes: 1,
      clients: [
        {
          id: 'from-aws',
          name: 'From AWS',
          secrets: [{ ref: 'secretsmanager:gatehouse/clients#service' }],
          grants: ['client_credentials'],
          scopes: ['contracts:read'],
        },
      ],
      env: {
        ...unusedEnvironment,
        AWS_REGION: moto.client.region,
        AWS_ENDPOINT_URL: aws.url,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: pod.url,
        GATEHOUSE_DATABASE_URL: databaseUrl.href,
        GATEHOUSE_DATABASE_PASSWORD: 'secretsmanager:gatehouse/db',
        GATEHOUSE_REDIS_URL: redis.url,
        GATEHOUSE_REDIS_PASSWORD: 'secretsmanager:gatehouse/redis',
        GATEHOUSE_SERVER_SECRETS: 'secretsmanager:gatehouse/server',
      },
    });
  }, 240_000);
  afterAll(async () => {
    await deployment?.stop();
    redisAdmin?.disconnect();
    admin?.destroy();
    pod?.server.close();
    await Promise.all([aws?.close(), moto?.stop(), postgres?.stop(), redis?.stop()]);
  });

  test('starts, although the credentials of AWS came late, and logs no secret', async () => {
    expect(pod.asked()).toBeGreaterThan(2);
    expect((await login()).status).toBe(200);
    expect(await clientToken('client-secret-1')).toBe(200);
    expect(await clientToken('another')).toBe(401);
    const output = deployment.programs.map((program) => program.output()).join('');
    for (const secret of [first, 'client-secret-1']) expect(output).not.toContain(secret);
  });

  test('people can sign in during and after a rotation of the database password, without a restart', async () => {
    const second = randomToken(16);
    const next = { engine: 'postgres', username: 'app', password: second };
    await put('gatehouse/db', next, 'AWSPENDING');
    await setRolePassword(second);
    await postgres?.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
    // The secret shows the new value only later: the rotation has not finished.
    await waitFor(async () => (await login()).status === 200);
    await put('gatehouse/db', next);
    await postgres?.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
    await waitFor(async () => (await login()).status === 200);
  });

  test('a rotated password of Redis is used without a restart', async () => {
    const second = randomToken(16);
    await setRedisPassword(second);
    await put('gatehouse/redis', { username: 'app', password: second });
    await redis?.cutConnections();
    await redis?.mend();
    await waitFor(async () => (await login()).status === 200);
  });

  test('sign-in continues while Secrets Manager is away, also on new connections', async () => {
    aws?.decide(() => ({ status: 400, type: 'AccessDeniedException' }));
    await postgres?.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
    await redis?.cutConnections();
    await redis?.mend();
    await waitFor(async () => (await login()).status === 200);
    aws?.decide(() => 'pass');
  });
});
