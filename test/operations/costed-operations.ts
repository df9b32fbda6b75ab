import { randomUUID } from 'node:crypto';
import { type Deployment, demo } from '../support/deployment.ts';
import { type ApiTokens, apiLogin, postJson } from '../support/json-api.ts';
import { bearer, createTestClient, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import type { OperationName } from './costs.ts';

/** Each function performs its operation once with success and returns the text of the response. */
export type Operations = Record<OperationName, () => Promise<string>>;

const scope = 'openid email profile offline_access contracts:read';

/** Signs in if it is needed, so that each operation can be performed separately. */
export async function createAsker(deployment: Deployment): Promise<Operations> {
  const agent = createUserAgent(deployment);
  const web = createTestClient(deployment, demoApps.web);
  const service = createTestClient(deployment, demoApps.service);
  let tokens = await web.signIn(agent, { scope, prompt: 'consent' });
  const { access_token: accessToken } = tokens;
  const forUserinfo = (await web.signIn(agent, { scope: 'openid email' })).access_token;
  let api = await apiLogin(deployment);
  const { access_token: revocable } = await web.signIn(agent, { scope: 'openid' });
  const forProfile = (await web.signIn(agent, { scope: 'openid profile' })).access_token;
  const signedIn = await Promise.all(Array.from({ length: 6 }, () => apiLogin(deployment)));
  const codes: string[] = [];
  const authorize = () => web.code(agent, { scope: 'openid contracts:read' });
  for (let left = 6; left > 0; left -= 1) codes.push(await authorize());

  const read = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : bearer(token);
    const answer = await deployment.fetch(`${deployment.issuer}${path}`, { headers });
    if (answer.status !== 200) throw new Error(`${path} was answered with ${answer.status}`);
    return answer.text();
  };
  return {
    client_credentials: async () => JSON.stringify(tokensOf(await service.clientCredentials())),
    'refresh, with id token': async () => {
      tokens = tokensOf(await web.refresh(tokens.refresh_token));
      return JSON.stringify(tokens);
    },
    'refresh by /auth/refresh': async () => {
      const { refreshToken } = api;
      api = (await (await postJson(deployment, '/auth/refresh', { refreshToken })).json()) as ApiTokens;
      return JSON.stringify(api);
    },
    'authorization request in a session': authorize,
    'code to token': async () => JSON.stringify(tokensOf(await web.redeem(codes.pop() ?? ''))),
    'password sign-in': async () => JSON.stringify(await apiLogin(deployment)),
    'wrong password': async () => {
      const { email } = demo;
      return (await postJson(deployment, '/auth/login', { email, password: 'a guess' })).text();
    },
    introspection: async () => JSON.stringify(await web.post('introspect', { token: accessToken })),
    'introspection of a refresh token': async () =>
      JSON.stringify(await web.post('introspect', { token: tokens.refresh_token })),
    'revocation of an access token': async () =>
      JSON.stringify(await web.post('revoke', { token: revocable })),
    '/auth/logout': async () => {
      const { refreshToken } = signedIn.pop() ?? api;
      return (await postJson(deployment, '/auth/logout', { refreshToken })).text();
    },
    '/user/profile': () => read('/user/profile', forProfile),
    'authorization request that leads to the sign-in page': async () =>
      (await createUserAgent(deployment).get(web.authorizationUrl())).html,
    'pushed authorization request': async () => {
      const { searchParams } = new URL(web.authorizationUrl());
      return JSON.stringify(await web.post('par', Object.fromEntries(searchParams)));
    },
    'sign-up': async () => {
      const person = { email: `${randomUUID()}@example.com`, password: 'a quiet evening in' };
      return (await postJson(deployment, '/auth/register', person)).text();
    },
    '/auth/verify': () => read('/auth/verify', accessToken),
    userinfo: () => read('/oauth2/userinfo', forUserinfo),
    discovery: () => read('/.well-known/openid-configuration'),
    JWKS: () => read('/.well-known/jwks.json'),
  };
}
