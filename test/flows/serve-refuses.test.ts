import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, runProgram } from '../support/program.ts';
import { testServerSecret } from '../support/secrets.ts';
import { waitFor } from '../support/wait-for.ts';

const secret = 'hunter2-hunter2';

describe('a refused start', () => {
  let folder: string;
  let database: TestDatabase;
  let empty: TestDatabase;
  let env: Record<string, string>;
  const started: Program[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
    [database, empty] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const pool = openDatabase({ url: database.url });
    await new PostgresSchema({ db: pool.knex }).migrate();
    await pool.close();
    await writeFile(join(folder, 'server-secrets'), testServerSecret, { mode: 0o600 });
    env = {
      GATEHOUSE_DATABASE_URL: database.url,
      GATEHOUSE_KEYS: `file:${join(folder, 'keys.json')}`,
      GATEHOUSE_SERVER_SECRETS: `file:${join(folder, 'server-secrets')}`,
      GATEHOUSE_ISSUER: 'http://localhost:3999',
      GATEHOUSE_PORT: '0',
      GATEHOUSE_OPS_PORT: '0',
    };
  }, 120_000);
  afterAll(async () => {
    for (const program of started) if (!program.hasEnded()) program.kill('SIGKILL');
    await Promise.all(started.map((program) => program.ended));
    await Promise.all([database?.drop(), empty?.drop()]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs a command until it refuses to start. Checks that the message has no stack and no secret. */
  async function refusal(command: string, settings: Record<string, string>) {
    const program = runProgram([command], { env: settings, cwd: folder });
    started.push(program);
    const code = await program.ended;
    expect(program.output()).not.toContain(secret);
    const isLog = (line: string) => line.startsWith('{');
    const text = program
      .output()
      .split('\n')
      .filter((line) => !isLog(line))
      .join('\n');
    expect(text).not.toMatch(/\n\s+at |Error:|\[object/);
    const listed = text.split('\n').filter((line) => line.startsWith('  - '));
    return { code, text, problems: listed.length > 0 ? listed : [text.trim()] };
  }

  test('names all missing settings', async () => {
    const { code, problems } = await refusal('serve', {});
    expect(code).toBe(78);
    expect(problems).toEqual([
      expect.stringMatching(/GATEHOUSE_DATABASE_URL is not set.*Set it/),
      expect.stringMatching(/GATEHOUSE_KEYS is not set.*Set it/),
      expect.stringMatching(/GATEHOUSE_SERVER_SECRETS is not set.*Set it/),
    ]);
  });

  test('reports several bad settings at once, and only the names of secrets', async () => {
    const { code, text, problems } = await refusal('serve', {
      ...env,
      GATEHOUSE_DATABASE_URL: `mysql://gatehouse:${secret}@db.example.com/gatehouse`,
      GATEHOUSE_REDIS_URL: `http://:${secret}@cache.example.com`,
      GATEHOUSE_SERVER_SECRETS: secret,
      GATEHOUSE_KEYS: secret,
      GATEHOUSE_ISSUER: 'http://login.example.com',
      GATEHOUSE_PORT: 'three thousand',
      GATEHOUSE_ACCESS_TOKEN_SECONDS: '1',
      GATEHOUSE_SIGNPU: 'true',
    });
    expect(code).toBe(78);
    expect(problems).toHaveLength(8);
    for (const told of [
      /GATEHOUSE_DATABASE_URL \(value not shown\) must be a URL like postgres:/,
      /GATEHOUSE_REDIS_URL \(value not shown\)/,
      /GATEHOUSE_SERVER_SECRETS \(value not shown\)/,
      /GATEHOUSE_KEYS \(value not shown\)/,
      /GATEHOUSE_ISSUER .* https/,
      /GATEHOUSE_PORT \("three thousand"\) must be a whole number/,
      /GATEHOUSE_ACCESS_TOKEN_SECONDS \("1"\)/,
      /GATEHOUSE_SIGNPU.*Did you mean GATEHOUSE_SIGNUP\?/,
    ]) {
      expect(text).toMatch(told);
    }
  });

  test.each(['serve', 'worker'])(
    '%s names the command to run if the database has no schema, waits for it, and can be stopped',
    async (command) => {
      const settings = { ...env, GATEHOUSE_DATABASE_URL: empty.url };
      const program = runProgram([command], { env: settings, cwd: folder });
      started.push(program);
      await waitFor(() => program.hasEnded() || program.output().includes('waiting for: gatehouse migrate'), {
        timeoutMs: 60_000,
        what: 'the log line',
      });
      expect(program.output()).toContain('0001-accounts');
      program.kill('SIGTERM');
      expect(await program.ended).toBe(0);
    },
  );

  test('reports an unreachable database without the password', async () => {
    const url = `postgres://gatehouse:${secret}@127.0.0.1:${await freePort()}/gatehouse`;
    const { code, text } = await refusal('serve', { ...env, GATEHOUSE_DATABASE_URL: url });
    expect(code).toBe(69);
    expect(text).toMatch(/postgres can't be reached/i);
  });

  test.each([
    ['GATEHOUSE_DATABASE_URL', `mysql://gatehouse:${secret}@db.example.com/gatehouse`, 'postgres://'],
    ['GATEHOUSE_REDIS_URL', `redis://:${secret}@cache.example.com?a=b`, 'has parameters'],
  ])('names the reference of a %s that cannot be used, and not its text', async (name, text, reason) => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    const { code, problems } = await refusal('serve', { ...env, [name]: `file:${path}` });
    expect(code).toBe(78);
    expect(problems).toEqual([expect.stringContaining(`The URL in the secret file:${path}`)]);
    expect(problems[0]).toContain(reason);
  });

  test('reports the position of a server secret that is too short', async () => {
    const path = join(folder, 'short-secrets');
    await writeFile(path, `${testServerSecret}\n${secret}\n`, { mode: 0o600 });
    const settings = { ...env, GATEHOUSE_SERVER_SECRETS: `file:${path}` };
    const { code, problems } = await refusal('serve', settings);
    expect(code).toBe(78);
    expect(problems).toEqual([expect.stringContaining('secret 2 of 2')]);
  });

  test('refuses a file of server secrets that other users may read', async () => {
    const path = join(folder, 'open-secrets');
    await writeFile(path, testServerSecret);
    await chmod(path, 0o640);
    const settings = { ...env, GATEHOUSE_SERVER_SECRETS: `file:${path}` };
    const { code, problems } = await refusal('serve', settings);
    expect(code).toBe(78);
    expect(problems).toEqual([expect.stringMatching(/others may read it \(mode 0640\)\. Run: chmod 600 /)]);
  });

  test('reports every mistake of a clients file, with file, client and place', async () => {
    const path = join(folder, 'clients.yaml');
    await writeFile(
      path,
      `clients:
  - id: first-app
    name: First
    auth: none
    redirectUri: https://first.example/callback
    scopes: [openid]
  - id: second-app
    name: Second
    secrets: [{ ref: ${secret} }]
    redirectUris: ['http://second.example/callback']
    scopes: [openid, contracts:raed]
  - id: first-app
    name: Third
    auth: none
    redirectUris: ['https://third.example/*']
    scopes: [openid]
  - name: Nameless
`,
    );
    const { code, text, problems } = await refusal('serve', { ...env, GATEHOUSE_CLIENTS_FILE: path });
    expect(code).toBe(78);
    const line = (...parts: string[]) => new RegExp(`${path}:\\d+: .*${parts.join('.*')}`);
    for (const told of [
      line('client first-app', '/redirectUri'),
      line('client second-app', '/secrets/0/ref'),
      line('client second-app', '/redirectUris/0', 'https'),
      line('client second-app', '/scopes/1', 'contracts:raed'),
      line('client first-app', '/redirectUris/0', 'wildcard'),
      line('client first-app', '/id', 'is taken'),
      line('a client without a valid id', '/id'),
    ]) {
      expect(text).toMatch(told);
    }
    expect(problems.length).toBeGreaterThanOrEqual(7);
  });

  test('reports line and column if a clients file is no YAML', async () => {
    const path = join(folder, 'broken.yaml');
    await writeFile(path, 'clients:\n  - id: "open\n');
    const { code, text } = await refusal('serve', { ...env, GATEHOUSE_CLIENTS_FILE: path });
    expect(code).toBe(78);
    expect(text).toMatch(new RegExp(`${path}:\\d+:\\d+: not valid YAML`));
  });

  test.each(['https://login.example.com', 'https://localhost.example.com'])(
    'refuses demo data for the issuer %s',
    async (issuer) => {
      const settings = { GATEHOUSE_ISSUER: issuer, GATEHOUSE_DATA_FOLDER: join(folder, 'data') };
      const { code, problems } = await refusal('dev', settings);
      expect(code).toBe(78);
      expect(problems).toEqual([expect.stringContaining(new URL(issuer).hostname)]);
    },
  );
});
