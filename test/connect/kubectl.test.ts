import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { waitFor } from '../support/wait-for.ts';
import { startApiServer } from './support/api-server.ts';
import { ownEnvironment } from './support/app-process.ts';
import { commandOutput } from './support/native.ts';
import { refreshesSeen } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('kubectl', () => {
  let world: ConnectWorld;
  let programs: string;
  beforeAll(async () => {
    world = await startWorld('kubectl', { https: true, env: { GATEHOUSE_DEVICE_FLOW: 'true' } });
    const file = await world.write('authentication.yaml', world.page.block('yaml', 1));
    programs = await startApiServer(world, file);
  }, 300_000);
  afterAll(() => world?.stop());

  /** For the programs of a person, which trust the certificate of this test's Gatehouse. */
  const environment = () => ({
    ...ownEnvironment(),
    PATH: `${programs}:${process.env.PATH}`,
    KUBECONFIG: join(world.folder, 'kubeconfig'),
    SSL_CERT_FILE: world.caFile,
    CURL_CA_BUNDLE: world.caFile,
  });
  const asPerson = (...args: string[]) =>
    commandOutput(join(programs, 'kubectl'), ['--user=gatehouse', ...args], world.folder, environment());

  /** What the person does in the browser, when the command line shows this address. */
  const approve = async (address: string) => {
    const page = await world.browser.context.newPage();
    await page.goto(address);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'It’s my device' }).click();
    await page.getByLabel('Email address').fill(demo.email);
    await page.getByLabel('Password').fill(demo.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByRole('heading', { name: 'Your device is signed in' }).waitFor();
  };

  test('signs a person in by the device flow, and the API server knows their name and their groups', async () => {
    const script = spawn('bash', ['-euc', world.page.block('bash', 1)], {
      cwd: world.folder,
      env: environment(),
    });
    let output = '';
    for (const stream of [script.stdout, script.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const ended = once(script, 'close');
    const address = await waitFor(() => /Open (?<address>\S+),/.exec(output)?.groups?.address);
    await approve(address);
    const [code] = await ended;
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(`gatehouse:${demo.email}`) });
    expect(output).toContain('gatehouse:CLIENT');
    expect(output).toMatch(/UID\s+user_/);
  }, 60_000);

  test('gives a group the rights that RBAC says, and no others', async () => {
    const mayList = () => asPerson('auth', 'can-i', 'list', 'pods').catch(() => 'no\n');
    expect(await mayList()).toBe('no\n');
    await commandOutput('bash', ['-euc', world.page.block('bash')], world.folder, environment());
    await waitFor(async () => (await mayList()) === 'yes\n');
    expect(await asPerson('get', 'pods', '-n', 'default', '-o', 'name')).toBe('');
    await expect(asPerson('delete', 'namespace', 'default')).rejects.toThrow('Forbidden');
  }, 60_000);

  test('refreshes a token that has expired, and keeps the new refresh token', async () => {
    const provider = async () => {
      const path = 'jsonpath={.users[?(@.name=="gatehouse")].user.auth-provider.config}';
      return JSON.parse(await asPerson('config', 'view', '--raw', '-o', path)) as Record<string, string>;
    };
    const before = await provider();
    // A token that expired long ago, as far as kubectl can see.
    const [header, , signature] = (before['id-token'] ?? '').split('.');
    const old = `${header}.${Buffer.from('{"exp":1}').toString('base64url')}.${signature}`;
    const flags = ['--auth-provider=oidc', `--auth-provider-arg=id-token=${old}`];
    await asPerson('config', 'set-credentials', 'gatehouse', ...flags);
    expect(await asPerson('auth', 'whoami')).toContain(`gatehouse:${demo.email}`);
    const after = await provider();
    expect(after['id-token']).not.toBe(old);
    expect(after['refresh-token']).toBeTruthy();
    expect(after['refresh-token']).not.toBe(before['refresh-token']);
    expect(await refreshesSeen(world)).toMatchObject({ again: 0 });
  }, 60_000);
});
