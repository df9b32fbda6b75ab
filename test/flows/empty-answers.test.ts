import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { table } from '../../provider/http/routes.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin, postJson } from '../support/json-api.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { deviceFlow } from './devices.ts';

describe('the media type of responses', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, env: deviceFlow });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const typeOf = async (answer: Response) => {
    const isEmpty = (await answer.text()) === '';
    return { status: answer.status, isEmpty, type: answer.headers.get('content-type') };
  };

  /** HEAD has the headers of the response to GET. */
  const requests = table.flatMap(({ label, methods }) =>
    [...methods, 'OPTIONS']
      .filter((method) => method !== 'HEAD')
      .map((method) => ({ method: method === '*' ? 'GET' : method, path: label.replace(/:\w+/g, 'x') })),
  );
  const names = [...new Set(requests.map(({ method, path }) => `${method} ${path}`))];

  test.each(names)('%s: a response has a type if it has a body', async (name) => {
    const [method = '', path] = name.split(' ');
    const headers = method === 'OPTIONS' ? { origin: 'http://localhost:8080' } : {};
    const { isEmpty, type } = await typeOf(
      await deployment.fetch(`${deployment.issuer}${path}`, { method, headers }),
    );
    expect([isEmpty, type]).toEqual([isEmpty, isEmpty ? null : expect.stringMatching(/^\w+\/[\w.+-]+/)]);
  });

  test('a successful revocation has neither body nor type, so that client libraries accept it', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const answer = await web.post('revoke', { token: 'unknown' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, null]);
  });

  test('nor has a sign-out, a preflight, or what a gateway gets', async () => {
    const { accessToken, refreshToken } = await apiLogin(deployment);
    const bearer = { authorization: `Bearer ${accessToken}` };
    const verified = await deployment.fetch(`${deployment.issuer}/auth/verify`, { headers: bearer });
    expect(await typeOf(verified)).toEqual({ status: 200, isEmpty: true, type: null });
    const preflight = await deployment.fetch(`${deployment.issuer}/oauth2/token`, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:8080', 'access-control-request-method': 'POST' },
    });
    expect(await typeOf(preflight)).toEqual({ status: 204, isEmpty: true, type: null });
    const signedOut = await postJson(deployment, '/auth/logout', { refreshToken });
    expect(await typeOf(signedOut)).toEqual({ status: 204, isEmpty: true, type: null });
  });
});
