import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { postJson } from '../support/json-api.ts';
import {
  decodeJwt,
  demoApps,
  type JsonAnswer,
  jsonAnswer,
  type TestClient,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp } from './apps.ts';

const clients = [
  appDocument('machine', { grants: ['client_credentials'], scopes: ['contracts:read'] }),
  appDocument('web'),
  appDocument('spa', { auth: 'none' }),
];

const boundTo = (token: unknown) =>
  (decodeJwt(String(token)).claims.cnf as { jkt?: string } | undefined)?.jkt;

describe('proofs of possession (RFC 9449)', () => {
  let deployment: Deployment;
  let mine: DpopKey;
  let other: DpopKey;
  beforeAll(async () => {
    deployment = await startServers({ clients, processes: 1 });
    [mine, other] = [await createDpopKey(), await createDpopKey()];
  }, 120_000);
  afterAll(() => deployment?.stop());

  const at = (path: string) => `${deployment.issuer}${path}`;
  const refusal = ({ status, body }: JsonAnswer) => [status, body.error ?? body.code];

  describe('a proof that is sent twice is invalid_dpop_proof', () => {
    test('at the token endpoint (§5)', async () => {
      const proof = await mine.header('POST', at('/oauth2/token'));
      const machine = createApp(deployment, 'machine');
      const ask = () => machine.post('token', { grant_type: 'client_credentials' }, proof);
      expect((await ask()).status).toBe(200);
      expect(refusal(await ask())).toEqual([400, 'invalid_dpop_proof']);
    });

    test('of a refresh, whose token stays good', async () => {
      const web = createApp(deployment, 'web');
      const { refresh_token } = await web.signIn(createUserAgent(deployment));
      const proof = await mine.header('POST', at('/oauth2/token'));
      await web.post('token', { grant_type: 'refresh_token', refresh_token: 'unknown' }, proof);
      const refresh = (headers: Record<string, string>) =>
        web.post('token', { grant_type: 'refresh_token', refresh_token }, headers);
      const next = await refresh(proof);
      expect(next.status).toBe(200);
      expect(refusal(await refresh(proof))).toEqual([400, 'invalid_dpop_proof']);
      expect((await web.refresh(tokensOf(next).refresh_token)).status).toBe(200);
    });

    test('at pushed authorization requests (§10.1)', async () => {
      const web = createApp(deployment, 'web');
      const form = Object.fromEntries(new URL(web.authorizationUrl()).searchParams);
      const proof = await mine.header('POST', at('/oauth2/par'));
      expect((await web.post('par', form, proof)).status).toBe(201);
      expect(refusal(await web.post('par', form, proof))).toEqual([400, 'invalid_dpop_proof']);
    });

    test('at userinfo, with the challenge of the scheme (§7.1)', async () => {
      const web = createApp(deployment, 'web');
      const code = (await web.authorize(createUserAgent(deployment), { scope: allScopes })).get('code') ?? '';
      const redeemed = await web.redeem(code, {}, await mine.header('POST', at('/oauth2/token')));
      const { access_token: token } = tokensOf(redeemed);
      const proof = await mine.header('GET', at('/oauth2/userinfo'), token);
      const headers = { ...proof, authorization: `DPoP ${token}` };
      const ask = async () => jsonAnswer(await deployment.fetch(at('/oauth2/userinfo'), { headers }));
      expect((await ask()).status).toBe(200);
      const again = await ask();
      expect(refusal(again)).toEqual([401, 'invalid_dpop_proof']);
      expect(again.headers.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    });
  });

  describe('the JSON API', () => {
    const login = { email: demo.email, password: demo.password, clientId: demoApps.firstParty.id };
    const send = async (path: string, body: object, headers: Record<string, string>) =>
      jsonAnswer(await postJson(deployment, path, body, headers));

    test('takes a proof for the URL that was called, and binds its tokens to the key (§4.3)', async () => {
      const signedIn = await send('/auth/login', login, await mine.header('POST', at('/auth/login')));
      expect([signedIn.status, boundTo(signedIn.body.accessToken)]).toEqual([200, mine.thumbprint]);
      const refresh = { refreshToken: signedIn.body.refreshToken, clientId: login.clientId };
      const proof = await mine.header('POST', at('/auth/refresh'));
      const refreshed = await send('/auth/refresh', refresh, proof);
      expect([refreshed.status, boundTo(refreshed.body.accessToken)]).toEqual([200, mine.thumbprint]);
      expect(refusal(await send('/auth/refresh', refresh, proof))).toEqual([400, 'invalid_dpop_proof']);
      expect(refusal(await send('/auth/refresh', refresh, {}))).toEqual([401, 'invalid_grant']);
    });

    test.each(['/auth/login', '/auth/refresh'])(
      '%s refuses a proof for another URL, and says what to do',
      async (path) => {
        const body = path === '/auth/login' ? login : { refreshToken: 'any', clientId: login.clientId };
        for (const url of ['/oauth2/token', `${path}/`, '/auth/logout']) {
          const answer = await send(path, body, await mine.header('POST', at(url)));
          expect([url, ...refusal(answer)]).toEqual([url, 400, 'invalid_dpop_proof']);
          expect(answer.body.detail).toMatch(/Sign a new one with this URL/);
        }
      },
    );

    test('lets a page of a registered origin send the header', async () => {
      const answer = await deployment.fetch(at('/auth/login'), {
        method: 'OPTIONS',
        headers: { origin: 'http://localhost:8080', 'access-control-request-method': 'POST' },
      });
      expect(answer.headers.get('access-control-allow-headers')).toContain('DPoP');
    });
  });

  describe('a refresh that is repeated within the grace', () => {
    const refresh = async (app: TestClient, token: string | undefined, key?: DpopKey) =>
      app.post(
        'token',
        { grant_type: 'refresh_token', refresh_token: token },
        key && (await key.header('POST', at('/oauth2/token'))),
      );

    test('gives a client that authenticates an access token for the key it shows (§5)', async () => {
      const web = createApp(deployment, 'web');
      const { refresh_token } = await web.signIn(createUserAgent(deployment), { scope: allScopes });
      const first = tokensOf(await refresh(web, refresh_token, mine));
      const same = await refresh(web, refresh_token, mine);
      expect(same.body).toEqual(first);
      const given = tokensOf(await refresh(web, refresh_token, other));
      expect([first, given].map((tokens) => boundTo(tokens.access_token))).toEqual([
        mine.thumbprint,
        other.thumbprint,
      ]);
      expect(given).toMatchObject({ token_type: 'DPoP', refresh_token: first.refresh_token });
      const bearer = tokensOf(await refresh(web, refresh_token));
      expect(bearer).toMatchObject({ token_type: 'Bearer', refresh_token: first.refresh_token });
      expect(boundTo(bearer.access_token)).toBeUndefined();
      // The family continues with the one successor, whichever response the client got.
      expect((await refresh(web, given.refresh_token, other)).status).toBe(200);
    });

    test('gives a public client nothing for another key than the first', async () => {
      const spa = createApp(deployment, 'spa', 'public');
      const { refresh_token } = await spa.signIn(createUserAgent(deployment), { scope: allScopes });
      expect((await refresh(spa, refresh_token, mine)).status).toBe(200);
      for (const key of [other, undefined])
        expect(refusal(await refresh(spa, refresh_token, key))).toEqual([400, 'invalid_grant']);
    });
  });
});
