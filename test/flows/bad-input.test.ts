import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startEmbedded, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { rawHttp, requestBytes } from '../support/raw-http.ts';
import { Secrets } from '../support/secrets.ts';
import { waitFor } from '../support/wait-for.ts';
import { accountForms } from './bad-input/account-forms.ts';
import { checkAnswer } from './bad-input/answer-checks.ts';
import { authorizationRequests } from './bad-input/authorization-requests.ts';
import { bearerTokens } from './bad-input/bearer-tokens.ts';
import { clientAuthentication } from './bad-input/client-authentication.ts';
import { credentials } from './bad-input/credentials.ts';
import { pageForms } from './bad-input/forms.ts';
import { jsonBodies } from './bad-input/json-bodies.ts';
import { jsonFields } from './bad-input/json-fields.ts';
import { logoutRequests } from './bad-input/logout-requests.ts';
import { pathsAndMethods } from './bad-input/paths-and-methods.ts';
import { rawRequests } from './bad-input/raw-requests.ts';
import { redirectUris } from './bad-input/redirect-uris.ts';
import { type BadInput, json, type Request, sentinel } from './bad-input/row.ts';
import { openRowCounts, type RowCounts } from './bad-input/row-counts.ts';
import { tokenRequests } from './bad-input/token-requests.ts';
import { clients, createWorld, type World } from './bad-input/world.ts';

type Subjects = [subject: string, rows: BadInput[]][];

/** Requests that reach a store. They run on both kinds of stores. */
const stored: Subjects = [
  ['fields of the JSON API', jsonFields],
  ['addresses and passwords', credentials],
  ['authorization requests', authorizationRequests],
  ['token requests', tokenRequests],
  ['access tokens', bearerTokens],
  ['forms of the pages', pageForms],
  ['sign-outs', logoutRequests],
  ['forms of the account page', accountForms],
];
const refusedBefore: Subjects = [
  ['bodies of the JSON API', jsonBodies],
  ['requests on the wire', rawRequests],
  ['paths and methods', pathsAndMethods],
  ['redirect URIs', redirectUris],
  ['client authentication', clientAuthentication],
];

const deployments = [
  { name: 'the embedded default', start: startEmbedded, subjects: [...refusedBefore, ...stored] },
  { name: 'Postgres and Redis, two processes', start: startServers, subjects: stored },
];

let senders = 0;

/**
 * Each request comes from a different address. From one address, the rate limit would refuse this many wrong passwords.
 */
const bytesOf = (sent: Request) => {
  if ('raw' in sent) return Buffer.from(sent.raw as string);
  senders += 1;
  const from = { 'X-Forwarded-For': `198.18.${senders >> 8}.${senders & 255}` };
  return requestBytes({ ...sent, headers: { ...from, ...sent.headers } });
};

const cookiesOf = (answer: Response) =>
  answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');

describe.each(deployments)('bad input on $name', ({ start, subjects }) => {
  let deployment: Deployment;
  let world: World;
  let counts: RowCounts;
  const secrets = new Secrets();
  beforeAll(async () => {
    deployment = await start({
      clients,
      env: {
        GATEHOUSE_LOG_LEVEL: 'debug',
        GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1',
        GATEHOUSE_LIMITS_PERCENT: '1000',
      },
    });
    world = await createWorld(deployment, secrets);
    counts = await openRowCounts(deployment);
    secrets.add('what rows send', sentinel);
  }, 120_000);
  afterAll(async () => {
    await counts?.close();
    await deployment?.stop();
  });

  let turn = 0;
  const nextOrigin = () => deployment.origins[turn++ % deployment.origins.length] ?? '';
  const log = () => deployment.programs.map((program) => program.output()).join('');

  describe.each(subjects)('%s', (_subject, rows) => {
    test.each(rows.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
      const bytes = bytesOf(typeof row.send === 'function' ? await row.send(world) : row.send);
      const before = await counts.now();
      checkAnswer(await rawHttp(nextOrigin(), bytes), row.expected, bytes);
      const after = await counts.now();
      // An accepted request may be a sign-in, which writes an event.
      expect(row.expected.to === 'sender' ? { ...after, events: before.events } : after).toEqual(before);
    });
  });

  test.each(['/auth/login', '/oauth2/token', '/oauth2/introspect', '/oauth2/authorize'])(
    'a connection cut during %s changes nothing and is not logged as an error',
    async (path) => {
      const before = await counts.now();
      const { port } = new URL(nextOrigin());
      const type = path === '/auth/login' ? 'application/json' : 'application/x-www-form-urlencoded';
      const headers = { 'content-type': type, 'content-length': 1000, expect: '100-continue' };
      const call = request({ host: '127.0.0.1', port, path, method: 'POST', headers });
      call.on('error', () => {});
      // After `100 Continue`, the server reads the body.
      await new Promise((resolve) => call.once('continue', resolve).flushHeaders());
      call.write(`{"email":"${sentinel}`);
      call.destroy();
      const line = new RegExp(`"route":"${path}","status":"(aborted|400)"`);
      await waitFor(() => line.test(log()), { what: `${path} to be cut` });
      expect(await counts.now()).toEqual(before);
    },
  );

  test("a slow body is read to its end and doesn't delay other requests", async () => {
    const { email, password } = demo;
    const origin = nextOrigin();
    const bytes = requestBytes(json('/auth/login', { email, password }));
    const { hostname, port } = new URL(origin);
    const slow = request({ hostname, port, path: '/auth/login', method: 'POST' });
    slow.setHeader('Content-Type', 'application/json');
    const answered = new Promise<number | undefined>((resolve, reject) => {
      slow.once('error', reject);
      slow.once('response', (answer) => resolve(answer.resume().statusCode));
    });
    const body = bytes.subarray(bytes.indexOf('{'));
    for (const byte of body.subarray(0, 8)) {
      slow.write(Buffer.from([byte]));
      expect((await rawHttp(origin, requestBytes({ path: '/openapi.json' }))).status).toBe(200);
    }
    slow.end(body.subarray(8));
    expect(await answered).toBe(200);
  });

  test('two sign-ins in two tabs of one browser both succeed', async () => {
    const tabs = [await world.waiting(), await world.waiting()];
    let session = '';
    for (const { path, csrf, cookie } of tabs.reverse()) {
      const own = (answer?: Response) => `${cookie}; ${session}; ${answer ? cookiesOf(answer) : ''}`;
      const signedIn = await deployment.fetch(`${deployment.issuer}${path}/sign-in`, {
        method: 'POST',
        headers: { cookie: own() },
        body: new URLSearchParams({ csrf, email: demo.email, password: demo.password }),
      });
      const way = new URL(signedIn.headers.get('location') ?? '', deployment.issuer);
      const next = await deployment.fetch(way, { headers: { cookie: own(signedIn) } });
      session = cookiesOf(next);
      expect([signedIn.status, next.status]).toEqual([303, 303]);
      expect(next.headers.get('location')).toMatch(/^\/interaction\//);
    }
  });

  test('afterwards every process runs, is ready, and has logged no secret and no error', async () => {
    await apiLogin(deployment);
    for (const [index, program] of deployment.programs.entries()) {
      expect(program.hasEnded()).toBe(false);
      expect((await fetch(`${deployment.opsOrigins[index]}/readyz`)).status).toBe(200);
    }
    expect(secrets.foundIn(log())).toEqual([]);
    const lines = log().split('\n');
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    // The rows of the embedded default can't be counted, so this is the only check there.
    const created = lines.filter((line) => line.includes('"type":"user.created"'));
    expect(created).toHaveLength(1);
  });
});
