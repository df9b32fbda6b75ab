import { once } from 'node:events';
import { access, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
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
