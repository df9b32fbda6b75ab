import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { httpCall } from '../support/http-call.ts';
import { apiLogin } from '../support/json-api.ts';
import { bearer, createTestClient, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { installed, requireProgram, runInstaller } from './support/install.ts';
import { placeholders, readPage } from './support/page.ts';
import { isSignedInAtGatehouse, signIn, signOut } from './support/sign-in.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

const jdk = 'a JDK of Java 17 or later (Debian: openjdk-17-jdk-headless)';

/** The libraries of one major version of Spring Boot, as a class path. */
async function librariesOf(manifest: string): Promise<string> {
  const maven = requireProgram(['mvn'], 'Apache Maven (Debian: maven)');
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
  const install = async (cwd: string) => {
    await runInstaller(maven, ['--quiet', '--batch-mode', '--file', manifest, ...goal], { cwd });
  };
  return join(await installed({ name: 'spring-boot', manifests: [manifest], install }), 'lib', '*');
}

/** Writes the configuration of both pages beside the small apps, and compiles all of it. */
async function compile({ write, folder, addresses }: ConnectWorld, libraries: string): Promise<void> {
  for (const [name, page] of [
    ['web', 'spring-boot'],
    ['api', 'spring-boot-api'],
  ] as const) {
    const { block } = readPage(page, addresses);
    await write(`${name}.yaml`, block('yaml', 1));
    await write(`${name}/SecurityConfiguration.java`, `package ${name};\n${block('java')}`);
  }
  const sources = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.java'));
  const options = ['-parameters', '-proc:none', '-d', 'classes', '-cp', libraries];
  await runInstaller(requireProgram(['javac'], jdk), [...options, ...sources], { cwd: folder });
}

/** The client of the page about APIs, and another one whose tokens have another scope. */
const { clients: services, secrets } = readPage('spring-boot-api', placeholders);
const writer = { ...services[0], id: 'writer', name: 'Writer', scopes: ['contracts:write'] };

describe.each([
  ['pom-3.xml', 'JOSE header typ (type) at+jwt not allowed'],
  ['pom-4.xml', 'the given typ value needs to be one of [JWT]'],
])('Spring Boot of %s', (manifest, refusalByDefault) => {
  let world: ConnectWorld;
  /** The API of the page, and one with the default decoder. */
  let api: string;
  let plain: string;
  beforeAll(async () => {
    const libraries = await librariesOf(manifest);
    // Spring refreshes a token that expires within a minute, so it refreshes before each call.
    const env = {
      GATEHOUSE_ACCESS_TOKEN_SECONDS: '60',
      GATEHOUSE_OUTGOING_PRIVATE_HOSTS: '127.0.0.0/8',
      ...secrets,
    };
    world = await startWorld('spring-boot', { env, clients: (web) => [...web, ...services, writer] });
    await compile(world, libraries);
    const run = async (name: string, port: number, more: Record<string, string> = {}) => {
      const main = `${name}.${name[0]?.toUpperCase()}${name.slice(1)}Application`;
      const fast = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
      const config = `--spring.config.location=optional:file:${name}.yaml`;
      const args = [...fast, '-cp', `classes:${libraries}`, main, config];
      const app = { program: requireProgram(['java'], jdk), args, ready: `http://127.0.0.1:${port}` };
      await world.start({ ...app, timeoutMs: 120_000, env: { SERVER_PORT: String(port), ...more } });
      return app.ready;
    };
    const issuer = { SPRING_SECURITY_OAUTH2_RESOURCESERVER_JWT_ISSUER_URI: world.addresses.issuer };
    api = await run('api', await freePort());
    plain = await run('plain', await freePort(), issuer);
    await run('web', world.appPort, { API_URL: `${api}/contracts` });
  }, 300_000);
  afterAll(() => world?.stop());

  test('a web app signs in with PKCE, reads claims, calls an API, refreshes, and signs out at both sides', async () => {
    const { app, issuer } = world.addresses;
    const page = await world.browser.context.newPage();
    const asked = page.waitForRequest((request) => request.url().startsWith(`${issuer}/oauth2/authorize`));
    await signIn(world, page, `${app}/me`);
    expect(new URL((await asked).url()).searchParams.get('code_challenge_method')).toBe('S256');
    const { request } = world.browser.context;
    const json = async (path: string) => (await request.get(`${app}${path}`)).json();
    const me = await json('/me');
    expect(me).toMatchObject({
      name: expect.stringMatching(/^user_/),
      claims: { sub: me.name, email: demo.email, email_verified: true },
    });

    const first = await json('/contracts');
    expect(first).toMatchObject({ sub: me.name, aud: [world.addresses.api], client_id: 'orders-web' });
    const second = await json('/contracts');
    expect(second.jti).not.toBe(first.jti);
    expect(second.family).toBe(first.family);
    const parallel = await Promise.all([1, 2, 3, 4].map(() => json('/contracts')));
    expect(parallel.map(({ family }) => family)).toEqual(parallel.map(() => first.family));
    expect(await json('/me')).toMatchObject({ name: me.name, claims: { email: demo.email } });

    await page.goto(`${app}/leave`);
    await signOut(world, page, () => page.getByRole('button', { name: 'Leave' }).click());
    expect(await page.innerText('body')).toBe('signed out');
    expect((await request.get(`${app}/me`, { maxRedirects: 0 })).status()).toBe(302);
    expect(await isSignedInAtGatehouse(world)).toBe(false);
  });

  test('the session of the app ends when the person signs out at Gatehouse, also after a refresh', async () => {
    const { app, issuer } = world.addresses;
    const page = await world.browser.context.newPage();
    await signIn(world, page, `${app}/me`);
    const { request } = world.browser.context;
    const status = async (path: string) => (await request.get(`${app}${path}`, { maxRedirects: 0 })).status();
    expect([await status('/contracts'), await status('/contracts')]).toEqual([200, 200]);
    await page.goto(`${issuer}/oauth2/logout`);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await waitFor(async () => (await status('/me')) === 302, { what: 'the end of the session of the app' });
  });

  describe('an API', () => {
    const serviceToken = async (id: string) => {
      const client = createTestClient(world.deployment, { id, secret: Object.values(secrets)[0] ?? '' });
      return tokensOf(await client.clientCredentials()).access_token;
    };
    const status = async (token?: string) =>
      (await httpCall(api, '/contracts', { headers: token === undefined ? {} : bearer(token) })).status;

    test('accepts tokens of services and of people', async () => {
      expect(await status(await serviceToken('nightly-report'))).toBe(200);
      expect(await status((await apiLogin(world.deployment)).accessToken)).toBe(200);
    });

    test('refuses a token without the scope, for another audience, an id token, and no token', async () => {
      expect(await status(await serviceToken('writer'))).toBe(403);
      const web = createTestClient(world.deployment, demoApps.web);
      const tokens = await web.signIn(createUserAgent(world.deployment), { scope: 'openid email' });
      expect(await status(tokens.access_token)).toBe(401);
      expect(await status(tokens.id_token)).toBe(401);
      expect(await status()).toBe(401);
    });

    test('with the default decoder, it refuses every access token', async () => {
      const headers = bearer(await serviceToken('nightly-report'));
      const answer = await httpCall(plain, '/contracts', { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([
        401,
        expect.stringContaining(refusalByDefault),
      ]);
    });
  });
});
