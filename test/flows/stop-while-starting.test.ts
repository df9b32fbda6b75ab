import { once } from 'node:events';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { apisFile, audience } from '../cli/command.ts';
import { type Program, runProgram, runToEnd } from '../support/program.ts';
import { testServerSecret } from '../support/secrets.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

let folder: string;
let program: Program | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
});
afterEach(async () => {
  if (program?.hasEnded() === false) program.kill('SIGKILL');
  await program?.ended;
  await rm(folder, { recursive: true, force: true });
});

const anyPorts = {
  GATEHOUSE_ISSUER: 'http://localhost:3999',
  GATEHOUSE_PORT: '0',
  GATEHOUSE_OPS_PORT: '0',
};

/** The process was never ready, and wrote nothing to standard error. */
function expectQuietEnd({ stdout, stderr }: Program): void {
  expect(stdout()).not.toContain('gatehouse is ready');
  expect(stderr()).toBe('');
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s while dev creates its database: the database is closed, and the folder can be used again',
  async (signal) => {
    program = runProgram(['dev'], { env: anyPorts, cwd: folder });
    const lock = join(folder, '.gatehouse', 'gatehouse.pid');
    await waitFor(() => access(lock).then(() => true), {
      timeoutMs: 60_000,
      what: 'the database to be opened',
    });
    program.kill(signal);
    expect(await program.ended).toBe(0);
    expectQuietEnd(program);
    expect(await readdir(join(folder, '.gatehouse'))).toEqual(['postgres']);
    const listed = await runToEnd(['accounts', 'list'], { env: {}, cwd: folder });
    expect(listed).toBe('No accounts.\n');
  },
);

test('SIGTERM while serve waits for Postgres: the process ends, and a second signal ends it at once', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await writeFile(join(folder, 'server-secrets'), testServerSecret, { mode: 0o600 });
    const env = {
      ...anyPorts,
      GATEHOUSE_DATABASE_URL: `postgres://gatehouse@127.0.0.1:${(server.address() as AddressInfo).port}/none`,
      GATEHOUSE_KEYS: 'file:keys.json',
      GATEHOUSE_SERVER_SECRETS: 'file:server-secrets',
      GATEHOUSE_APIS_FILE: 'apis.yaml',
      GATEHOUSE_AUDIENCE: audience,
    };
    await writeFile(join(folder, 'apis.yaml'), apisFile);
    program = runProgram(['serve'], { env, cwd: folder });
    const isAsked = () => sockets.size > 0 || program?.hasEnded();
    await waitFor(isAsked, { timeoutMs: 60_000, what: 'a connection to Postgres' });
    program.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expectQuietEnd(program);

    sockets.clear();
    program = runProgram(['serve'], { env, cwd: folder });
    await waitFor(isAsked, { timeoutMs: 60_000, what: 'another connection to Postgres' });
    program.kill('SIGTERM');
    program.kill('SIGINT');
    expect(await program.ended).toBe(1);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

describe('SIGTERM while the process waits for AWS', () => {
  let aws: Server;
  let asked = 0;
  let isSilent = false;
  beforeEach(async () => {
    [asked, isSilent] = [0, false];
    aws = createHttpServer((_, response) => {
      asked += 1;
      if (!isSilent) response.writeHead(404).end();
    });
    await once(aws.listen(0, '127.0.0.1'), 'listening');
  });
  afterEach(() => {
    aws.closeAllConnections();
    aws.close();
  });

  const secret = 'secretsmanager:gatehouse/none';
  const tokens = {
    GATEHOUSE_DATABASE_URL: 'postgres://app@localhost:1/none?sslmode=verify-full',
    GATEHOUSE_DATABASE_PASSWORD: 'rds-iam:',
  };
  const url = () => `http://127.0.0.1:${(aws.address() as AddressInfo).port}/`;
  const noCredentials = () => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url(), AWS_ACCESS_KEY_ID: '' });
  const noAnswer = () => {
    isSilent = true;
    return { AWS_ENDPOINT_URL: url(), AWS_ACCESS_KEY_ID: 'testing', AWS_SECRET_ACCESS_KEY: 'testing' };
  };

  test.each([
    ['serve', 'has no credentials', { GATEHOUSE_DATABASE_PASSWORD: secret }, noCredentials],
    ['serve', 'gets no answer', { GATEHOUSE_DATABASE_PASSWORD: secret }, noAnswer],
    ['worker', 'has no credentials', { GATEHOUSE_DATABASE_URL: secret }, noCredentials],
    ['serve', 'has no credentials for an IAM token', tokens, noCredentials],
    ['dev', 'has no credentials for the keys', { GATEHOUSE_KEYS: secret }, noCredentials],
    ['dev', 'gets no answer for the server secrets', { GATEHOUSE_SERVER_SECRETS: secret }, noAnswer],
    ['dev', 'gets no answer for Redis', { GATEHOUSE_REDIS_URL: secret }, noAnswer],
  ])('%s %s: it ends at once, and what it opened is closed', async (command, _, settings, fault) => {
    await writeFile(join(folder, 'server-secrets'), testServerSecret, { mode: 0o600 });
    await writeFile(join(folder, 'apis.yaml'), apisFile);
    const servers = {
      GATEHOUSE_DATABASE_URL: 'postgres://gatehouse@127.0.0.1:1/none',
      GATEHOUSE_KEYS: 'file:keys.json',
      GATEHOUSE_SERVER_SECRETS: 'file:server-secrets',
      GATEHOUSE_APIS_FILE: 'apis.yaml',
      GATEHOUSE_AUDIENCE: audience,
    };
    const own = command === 'dev' ? {} : servers;
    const env = { ...anyPorts, ...own, AWS_REGION: 'eu-central-1', AWS_PROFILE: '', ...fault(), ...settings };
    program = runProgram([command], { env, cwd: folder });
    await waitFor(() => asked > 0 || program?.hasEnded(), {
      timeoutMs: 60_000,
      what: 'a request to AWS',
    });
    program.kill('SIGTERM');
    // The wait for AWS would go on for up to 30 seconds.
    await waitFor(() => program?.hasEnded(), { timeoutMs: 10_000, what: 'the end of the process' });
    expect(await program.ended).toBe(0);
    // The AWS SDK may warn about the version of Node.
    expect(program.output()).not.toMatch(/gatehouse is ready|gatehouse: /);
    const left = await readdir(join(folder, '.gatehouse')).catch(() => []);
    expect(left).not.toContain('gatehouse.pid');
  });
});
