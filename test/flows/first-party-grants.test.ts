import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { callJsonApi } from '../support/json-api.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp } from './apps.ts';

const own = { auth: 'none', firstParty: true, redirectUris: [], scopes: ['openid', 'profile'] };

let deployment: Deployment;
beforeAll(async () => {
  const clients = [
    appDocument('by-browser', { ...own, redirectUris: ['http://localhost:8080/own'] }),
    appDocument('once', { ...own, grants: ['password'] }),
    appDocument('web'),
  ];
  deployment = await startServers({ clients, processes: 1 });
}, 120_000);
afterAll(() => deployment?.stop());

const { email, password } = demo;

test("/auth/* gives a client no grant that its document doesn't list", async () => {
  const login = { email, password, clientId: 'by-browser' };
  expect(await callJsonApi(deployment, '/auth/login', login)).toMatchObject({
    status: 403,
    body: { code: 'client_not_allowed' },
  });
  const refresh = { refreshToken: 'any', clientId: 'once' };
  expect((await callJsonApi(deployment, '/auth/refresh', refresh)).body.code).toBe('client_not_allowed');
});

test("the app gets an error if another person than the claims parameter's sub signs in", async () => {
  const web = createApp(deployment, 'web');
  const claims = JSON.stringify({ id_token: { sub: { value: 'user_somebody-else' } } });
  const answer = await web.authorize(createUserAgent(deployment), { scope: allScopes, claims });
  expect(answer.get('error')).toBe('login_required');
});
