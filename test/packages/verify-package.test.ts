import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  accessTokenClaimsJsonSchema,
  renderAccessTokenClaims,
  renderEventTypes,
} from '../../provider/bin/verify-package.ts';
import { renderEventsJsonSchema } from '../../provider/events/events-json-schema.ts';
import { type Deployment, startEmbedded } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { bearer, createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ConsumerProject, createConsumerProject, type Format, formats } from './consumer-project.ts';

// It installs packages, and compiles a project several times.
jest.setTimeout(240_000);

let project: ConsumerProject;
let deployment: Deployment;
const compiled = new Map<Format, string>();
beforeAll(async () => {
  [project, deployment] = await Promise.all([createConsumerProject(), startEmbedded()]);
}, 240_000);
afterAll(async () => {
  await deployment?.stop();
  await project?.remove();
});

/** The README's examples with the addresses of the test, compiled. */
async function compiledExamples(format: Format): Promise<string> {
  const known = compiled.get(format);
  if (known) return known;
  const { issuer, audience } = deployment;
  const home = await project.writeSources(format, (text) =>
    text
      .replace('https://id.example.com', issuer)
      .replace(/audience: .*\n( *revocation: true,\n)?/, `audience: '${audience}', revocation: true,\n`)
      .replace(/listen\((\{ port: )?3000/, 'listen($1Number(process.env.PORT)'),
  );
  expect(await project.compile(home)).toBe('');
  compiled.set(format, home);
  return home;
}

describe('the packed package', () => {
  test('has only what a consumer needs', async () => {
    const names = await readdir(project.installed);
    expect(names.sort()).toEqual(['README.md', 'build', 'package.json', 'schemas']);
    const { dependencies } = JSON.parse(await readFile(join(project.installed, 'package.json'), 'utf8'));
    expect(Object.keys(dependencies)).toEqual(['jose']);
  });

  test('has the JSON Schemas that Gatehouse publishes', async () => {
    const script = `console.log(JSON.stringify([
      require('@gatehouse/verify/schemas/events.schema.json'),
      require('@gatehouse/verify/schemas/access-token-claims.schema.json'),
    ]))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: project.folder });
    const claims = JSON.stringify(accessTokenClaimsJsonSchema());
    expect(JSON.parse(stdout)).toEqual([JSON.parse(renderEventsJsonSchema()), JSON.parse(claims)]);
  });

  test.each(formats)('compiles in a strict project with moduleResolution node16, as %s', async (format) => {
    expect(await readdir(join(await compiledExamples(format), 'out'))).toContain('readme-express.js');
  });

  test('compiles in a strict project with moduleResolution bundler', async () => {
    const home = await project.writeSources('module');
    const options = ['--module', 'esnext', '--moduleResolution', 'bundler', '--noEmit'];
    expect(await project.compile(home, options)).toBe('');
  });

  /** Calls a function of a compiled example in a process of its own, and returns the result. */
  async function callExample(format: Format, name: string, expression: string, input: unknown) {
    const file = join(await compiledExamples(format), `out/readme-${name}.js`);
    const load = format === 'module' ? `await import('${pathToFileURL(file)}')` : `require('${file}')`;
    const script = `const input = JSON.parse(process.argv[1]); const { ${expression.split('(')[0]} } = ${load};
      Promise.resolve(${expression}).then((result) => console.log(JSON.stringify(result)));`;
    const args = [`--input-type=${format}`, '-e', script, JSON.stringify(input)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    return JSON.parse(stdout);
  }

  test.each(formats)('reads an event at run time, as %s', async (format) => {
    const event = {
      id: 'evt_1',
      type: 'user.created',
      time: '2030-01-01T00:00:00.000Z',
      version: 1,
      subject: 'user_1',
      sequence: 1,
      data: { id: 'user_1', email: 'ada@example.com' },
    };
    const text = JSON.stringify(event);
    expect(await callExample(format, 'events', 'greetingFor(input)', text)).toBe('Welcome, ada@example.com!');
  });

  test.each(formats)('takes the claims of an HTTP API in a Lambda function, as %s', async (format) => {
    const { accessToken } = await apiLogin(deployment);
    const { claims } = decodeJwt(accessToken);
    const asText = (value: unknown) => (Array.isArray(value) ? `[${value.join(' ')}]` : String(value));
    const texts = Object.entries(claims).map(([name, value]) => [name, asText(value)]);
    const event = (method: string) => ({
      version: '2.0',
      headers: bearer(accessToken),
      requestContext: {
        http: { method },
        authorizer: { jwt: { claims: Object.fromEntries(texts), scopes: null } },
      },
    });
    const answer = await callExample(format, 'lambda', 'handler(input, {})', event('GET'));
    expect(answer).toMatchObject({ statusCode: 200 });
    expect(JSON.parse(answer.body)).toMatchObject({ subject: claims.sub });
    const refused = await callExample(format, 'lambda', 'handler(input, {})', event('DELETE'));
    expect(refused).toMatchObject({ statusCode: 403 });
  });

  /** Replaces generated types in the installed package, compiles the consumer, and puts them back. */
  async function compileWith(name: string, source: string): Promise<string> {
    const file = join(project.installed, `build/generated/${name}.d.ts`);
    const before = await readFile(file, 'utf8');
    // The installed file has types only.
    await writeFile(
      file,
      source.replace(/export const (\w+) = [\s\S]*?as const;/g, 'export const $1: never;'),
    );
    try {
      return await project.compile(await project.writeSources('module'), ['--noEmit']);
    } finally {
      await writeFile(file, before);
    }
  }

  test('does not compile any more if the provider takes a claim away', async () => {
    const schema = accessTokenClaimsJsonSchema();
    const { email, ...properties } = schema.properties ?? {};
    expect(email).toBeDefined();
    const without = renderAccessTokenClaims({ ...schema, properties });
    expect(await compileWith('access-token-claims', without)).toMatch(/claims\.ts.*'email' does not exist/);
  });

  test('does not compile any more if an event loses a field, or if there is a new type of event', async () => {
    const source = renderEventTypes();
    expect(await compileWith('events', source.replaceAll('userAgent: string;', ''))).toMatch(
      /events\.ts.*'userAgent' does not exist/,
    );
    const more = source.replace(
      'export type GatehouseEvent =',
      "export type GatehouseEvent = { type: 'new' }",
    );
    expect(await compileWith('events', more)).toMatch(/events\.ts.*not assignable to type 'never'/s);
  });
});

interface Service {
  call(options?: CallOptions): ReturnType<typeof httpCall>;
  stop(): void;
}

/** Starts an example of the README as a process. */
async function startService(name: string, format: Format): Promise<Service> {
  const home = await compiledExamples(format);
  const port = await freePort();
  const env = { ...process.env, PORT: String(port) };
  const child: ChildProcess = spawn(process.execPath, [join(home, `out/readme-${name}.js`)], { env });
  let output = '';
  child.stderr?.on('data', (text) => {
    output += text;
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(output);
      return (await httpCall(url, '/contracts')).status;
    },
    { what: `the service ${name}` },
  );
  return { call: (options) => httpCall(url, '/contracts', options), stop: () => void child.kill() };
}

const frameworks = ['express', 'koa', 'fastify'].flatMap((name) =>
  formats.map((format): [string, Format] => [name, format]),
);

describe.each(frameworks)('the example for %s, as %s', (name, format) => {
  let service: Service;
  beforeAll(async () => {
    service = await startService(name, format);
  }, 120_000);
  afterAll(() => service?.stop());

  const call = async (token?: string, method = 'GET') => {
    const { status, headers, body } = await service.call({ method, headers: token ? bearer(token) : {} });
    return { status, challenge: headers['www-authenticate'], type: headers['content-type'], headers, body };
  };

  test('lets a token of Gatehouse pass', async () => {
    const { accessToken } = await apiLogin(deployment);
    const { status, body } = await call(accessToken);
    const { sub, scope } = decodeJwt(accessToken).claims;
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ subject: sub, scopes: String(scope).split(' ') });
  });

  test('refuses a request without a token, and one with a wrong token', async () => {
    const missing = await call();
    expect(missing).toMatchObject({ status: 401, challenge: 'Bearer' });
    expect(missing.type).toMatch(/^application\/problem\+json/);
    expect(missing.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(missing.body)).toMatchObject({ code: 'missing_token', status: 401 });
    expect(await call('wrong')).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer error="invalid_token"/),
    });
  });

  test('refuses a token without the scope, and a person without the permission', async () => {
    const { accessToken } = await apiLogin(deployment);
    const app = createTestClient(deployment, demoApps.firstParty);
    const answer = await app.passwordGrant({ scope: 'openid', resource: deployment.audience });
    expect(await call(tokensOf(answer).access_token)).toMatchObject({
      status: 403,
      challenge: expect.stringMatching(/error="insufficient_scope".*scope="contracts:read"$/),
    });
    const refused = await call(accessToken, 'DELETE');
    expect(refused).toMatchObject({ status: 403, challenge: undefined });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'insufficient_permissions' });
  });

  test('refuses a token that was revoked', async () => {
    const { accessToken, refreshToken } = await apiLogin(deployment);
    expect(await call(accessToken)).toMatchObject({ status: 200 });
    await callJsonApi(deployment, '/auth/logout', { refreshToken });
    await waitFor(async () => (await call(accessToken)).status === 401);
    expect((await call(accessToken)).challenge).toMatch(/^Bearer error="invalid_token"/);
  });
});

test('an id token of Gatehouse, and an access token for userinfo, are refused', async () => {
  const app = createTestClient(deployment, demoApps.web);
  const tokens = await app.signIn(createUserAgent(deployment), { scope: 'openid' });
  const service = await startService('fastify', 'module');
  try {
    for (const token of [tokens.id_token ?? '', tokens.access_token])
      expect(await service.call({ headers: bearer(token) })).toMatchObject({ status: 401 });
  } finally {
    service.stop();
  }
});
