import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { rawHttp, requestBytes } from '../support/raw-http.ts';
import { Secrets } from '../support/secrets.ts';
import { pkce } from '../support/test-client.ts';
import { checkAnswer } from './bad-input/answer-checks.ts';
import { type BadInput, form, page, type Request, toApp, toClient, toPerson } from './bad-input/row.ts';
import { callback, clients, createWorld, type World } from './bad-input/world.ts';

const minute = 60;
const expired = toPerson(400, 'interaction_expired', /expired.*Go back to the app/);
const exact = { client_id: 'exact', client_secret: 'exact-secret' };

/** Requests that were valid when `send` made them, and are sent `after` this many seconds. */
const late: (BadInput & { after: number; send(world: World): Promise<Request> })[] = [
  {
    name: 'the page of a sign-in that expired',
    after: 61 * minute,
    send: async (world) => {
      const { path, cookie } = await world.waiting();
      return page(path, { Cookie: cookie });
    },
    expected: expired,
  },
  {
    name: 'the form of a sign-in that expired',
    after: 61 * minute,
    send: async (world) => {
      const { path, cookie, csrf } = await world.waiting();
      return form(
        `${path}/sign-in`,
        { csrf, email: 'a', password: 'b' },
        { Accept: 'text/html', Cookie: cookie },
      );
    },
    expected: expired,
  },
  {
    name: 'consent to what expired',
    after: 61 * minute,
    send: async (world) => {
      const { path, cookie, csrf } = await world.consenting();
      return form(`${path}/consent`, { csrf, decision: 'allow' }, { Accept: 'text/html', Cookie: cookie });
    },
    expected: expired,
  },
  {
    name: 'a code that expired',
    after: 2 * minute,
    send: async (world) =>
      form('/oauth2/token', {
        grant_type: 'authorization_code',
        code: await world.code(),
        redirect_uri: callback,
        code_verifier: pkce.verifier,
        ...exact,
      }),
    expected: toClient(400, 'invalid_grant', /./),
  },
  {
    name: 'a pushed request that expired',
    after: 2 * minute,
    send: async (world) => {
      const { searchParams } = new URL(world.exact.authorizationUrl());
      const pushed = await world.exact.post('par', Object.fromEntries(searchParams));
      const request_uri = String(pushed.body.request_uri);
      return page(world.authorize({ request_uri }), { Cookie: world.cookie() });
    },
    expected: toApp('invalid_request_uri', /expired/),
  },
];

describe('input that came too late', () => {
  let deployment: InProcess;
  let world: World;
  beforeAll(async () => {
    deployment = await startInProcess(clients);
    world = await createWorld(deployment, new Secrets());
  }, 120_000);
  afterAll(() => deployment?.stop());

  test.each(late.map((row) => [row.name, row] as const))('%s', async (_name, { send, after, expected }) => {
    const bytes = requestBytes((await send(world)) as Exclude<Request, { raw: unknown }>);
    deployment.advance(after);
    checkAnswer(await rawHttp(deployment.origins[0] ?? '', bytes), expected, bytes);
  });
});
