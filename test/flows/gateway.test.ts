import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import { parseAccessModel } from '../../provider/config/apis.ts';
import { largestAccessTokenBytes, tokenBudgetBytes } from '../../provider/config/token-budget.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createDpopKey } from '../support/dpop.ts';
import { createGateway, type Gateway, gatewayLimits } from '../support/gateway-verifier.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { approve, beginAt, deviceFlow, pollFor, tvDocument } from './devices.ts';

const clientKey = await generateKeyPair('ES256');
const clientJwk = { ...(await exportJWK(clientKey.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
const { secrets: _, ...keyed } = appDocument('keyed', {
  auth: 'private_key_jwt',
  jwks: { keys: [clientJwk] },
  grants: ['client_credentials'],
  scopes: ['contracts:read'],
  redirectUris: [],
});
const clients = [tvDocument('tv'), keyed];

const read = ['contracts:read'];

describe('G4: API Gateway and our tokens', () => {
  let deployment: Deployment;
  let gateway: Gateway;
  let restGateway: Gateway;
  beforeAll(async () => {
    deployment = await startServers({ clients, env: deviceFlow });
    const { issuer, audience, fetch } = deployment;
    const options = { issuer, audiences: [audience], clock: systemClock, fetch };
    gateway = await createGateway(options);
    restGateway = await createGateway({ ...options, kind: 'rest' });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const app = (name: keyof typeof demoApps) => createTestClient(deployment, demoApps[name]);
  const bySigningIn = (name: keyof typeof demoApps, scope: string) =>
    app(name).signIn(createUserAgent(deployment), { scope });
  const refreshed = async (name: keyof typeof demoApps, scope?: string) => {
    const { refresh_token } = await bySigningIn(name, 'openid email contracts:read');
    return tokensOf(await app(name).refresh(refresh_token, { scope }));
  };
  const byPassword = async (parameters = {}) => tokensOf(await app('firstParty').passwordGrant(parameters));
  const byLogin = () => apiLogin(deployment);

  const flows: Record<string, () => Promise<string>> = {
    'the code flow of a third party': async () =>
      (await bySigningIn('web', 'openid email contracts:read')).access_token,
    'the code flow of a third party, without openid': async () =>
      (await bySigningIn('web', 'contracts:read')).access_token,
    'the code flow of a public third party': async () =>
      (await bySigningIn('spa', 'openid contracts:read')).access_token,
    'the code flow of a first party': async () =>
      (await bySigningIn('firstParty', 'openid contracts:read contracts:write')).access_token,
    'a refresh by a third party': async () => (await refreshed('web')).access_token,
    'a refresh by a public third party': async () => (await refreshed('spa')).access_token,
    'a refresh by a first party': async () => (await refreshed('firstParty')).access_token,
    'a refresh narrowed to the API': async () => (await refreshed('web', 'contracts:read')).access_token,
    'the password grant': async () => (await byPassword()).access_token,
    'the password grant, narrowed': async () => (await byPassword({ scope: 'contracts:read' })).access_token,
    'a refresh after the password grant': async () => {
      const { refresh_token } = await byPassword();
      return tokensOf(await app('firstParty').refresh(refresh_token)).access_token;
    },
    '/auth/login': async () => (await byLogin()).accessToken,
    '/auth/refresh': async () => {
      const { refreshToken } = await byLogin();
      const { body } = await callJsonApi(deployment, '/auth/refresh', { refreshToken });
      return String(body.accessToken);
    },
    'client credentials': async () => {
      const answer = await app('service').clientCredentials();
      return tokensOf(answer).access_token;
    },
    'client credentials, with a key instead of a secret': async () => {
      const assertion = await new SignJWT({ iss: 'keyed', sub: 'keyed', jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setAudience(deployment.issuer)
        .setExpirationTime('1m')
        .sign(clientKey.privateKey);
      const answer = await createTestClient(deployment, { id: 'keyed' }).clientCredentials({
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      return tokensOf(answer).access_token;
    },
    'a pushed authorization request': async () => {
      const agent = createUserAgent(deployment);
      const url = app('web').authorizationUrl({ scope: 'openid contracts:read' });
      const { body } = await app('web').post('par', Object.fromEntries(new URL(url).searchParams));
      const query = new URLSearchParams({ client_id: 'demo-web', request_uri: String(body.request_uri) });
      const page = await agent.get(`${deployment.issuer}/oauth2/authorize?${query}`);
      const { searchParams } = new URL(await signInAndAgree(agent, page, demo));
      return tokensOf(await app('web').redeem(searchParams.get('code') ?? '')).access_token;
    },
    'a device code': async () => {
      const tv = createApp(deployment, 'tv');
      const { device_code: code, user_code: userCode } = await beginAt(tv);
      await approve(deployment, createUserAgent(deployment), userCode, demo);
      return tokensOf(await pollFor(tv, code)).access_token;
    },
    'client credentials, bound to a key (DPoP)': async () => {
      const key = await createDpopKey();
      const proof = await key.header('POST', `${deployment.issuer}/oauth2/token`);
      return tokensOf(await app('service').clientCredentials({}, proof)).access_token;
    },
  };

  test.each(Object.keys(flows))('it accepts the access token of %s', async (flow) => {
    const token = (await flows[flow]?.()) ?? '';
    const answer = await gateway.check({ authorization: `Bearer ${token}`, scopes: read });
    expect(answer).toEqual({ status: 200, claims: decodeJwt(token).claims });
    // An HTTP API can't pass on a claim with `:` or other characters in its name.
    expect(Object.keys(decodeJwt(token).claims).filter((name) => !/^\w+$/.test(name))).toEqual([]);
    expect(await restGateway.check({ authorization: `Bearer ${token}`, scopes: read })).toEqual(answer);
    expect(decodeJwt(token).header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
  });

  /** @returns the reason of a refusal, or 'taken' */
  const refusal = async (token: string | undefined, scopes: string[] = []) => {
    expect(token).toEqual(expect.any(String));
    const answer = await gateway.check({ authorization: `Bearer ${token}`, scopes });
    return answer.status === 200 ? 'taken' : `${answer.status} ${answer.reason}`;
  };

  test("it refuses a third party's id token, refresh token, and token without a scope of the API", async () => {
    const tokens = await bySigningIn('web', 'openid email');
    expect(await refusal(tokens.access_token)).toBe('401 the token does not have a valid audience');
    expect(await refusal(tokens.id_token)).toBe('401 the token does not have a valid audience');
    expect(await refusal(tokens.refresh_token)).toMatch(/^401 there is no JWT/);
    const withApi = await bySigningIn('web', 'openid contracts:read');
    expect(await refusal(withApi.id_token)).toBe('401 the token does not have a valid audience');
  });

  test("it refuses a first party's id token and refresh token, and a token narrowed to openid", async () => {
    const tokens = await bySigningIn('firstParty', 'openid contracts:read');
    expect(await refusal(tokens.id_token)).toBe('401 the token does not have a valid audience');
    expect(await refusal(tokens.refresh_token)).toMatch(/^401 there is no JWT/);
    const narrowed = tokensOf(
      await app('web').refresh((await bySigningIn('web', 'openid contracts:read')).refresh_token, {
        scope: 'openid',
      }),
    );
    expect(await refusal(narrowed.access_token)).toBe('401 the token does not have a valid audience');
  });

  test("on a route with scopes it refuses an id token, even if the app's id is an audience of the authorizer", async () => {
    const { issuer, audience, fetch } = deployment;
    const audiences = [audience, 'demo-web', 'demo-first-party'];
    const careless = await createGateway({ issuer, audiences, clock: systemClock, fetch });
    for (const name of ['web', 'firstParty'] as const) {
      const { id_token: token } = await bySigningIn(name, 'openid email contracts:read');
      const authorization = `Bearer ${token}`;
      expect((await careless.check({ authorization })).status).toBe(200);
      expect(await careless.check({ authorization, scopes: read })).toEqual({
        status: 403,
        reason: "the token has none of the route's scopes",
      });
    }
  });

  test('it refuses tokens of an issuer that differs from its own by a slash', async () => {
    const { issuer, audience, fetch } = deployment;
    const options = { issuer: `${issuer}/`, audiences: [audience], clock: systemClock };
    await expect(createGateway({ ...options, fetch })).rejects.toThrow(`discovery is of issuer ${issuer}`);
    const withSlash = async (url: string) => {
      const answer = await fetch(url);
      return url.includes('openid-configuration')
        ? Response.json({ ...((await answer.json()) as object), issuer: `${issuer}/` })
        : answer;
    };
    const other = await createGateway({ ...options, fetch: withSlash });
    expect(await other.check({ authorization: (await byLogin()).accessToken, scopes: read })).toEqual({
      status: 401,
      reason: `issuer ${issuer} is not ${issuer}/`,
    });
  });

  test("it refuses a token without the route's scope", async () => {
    const { access_token: third } = await bySigningIn('web', 'openid contracts:read');
    expect(await refusal(third, ['contracts:write'])).toMatch(/^403/);
    const { access_token: first } = await bySigningIn('firstParty', 'openid');
    expect(await refusal(first, read)).toMatch(/^403/);
    const { access_token: machine } = tokensOf(await app('service').clientCredentials());
    expect(await refusal(machine, ['contracts:write'])).toMatch(/^403/);
  });

  test("another issuer's gateway refuses it, even with the same keys and the same audience", async () => {
    const other = 'https://other.example';
    const { issuer, audience, fetch } = deployment;
    const gatewayOfOther = await createGateway({
      issuer: other,
      audiences: [audience],
      clock: systemClock,
      fetch: async (url) => {
        if (url === `${other}/jwks`) return fetch(`${issuer}/.well-known/jwks.json`);
        return Response.json({ issuer: other, jwks_uri: `${other}/jwks` });
      },
    });
    const { accessToken } = await byLogin();
    expect(await gatewayOfOther.check({ authorization: accessToken })).toEqual({
      status: 401,
      reason: `issuer ${issuer} is not ${other}`,
    });
  });

  test('it refuses a logout token (OpenID Connect Back-Channel Logout §2.4) signed by our key', async () => {
    const set = JSON.parse(await readFile(`${deployment.folder}/keys.json`, 'utf8'));
    const [{ kid, privateJwk }] = set.keys;
    const now = Math.floor(systemClock.now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const claims = {
      iss: deployment.issuer,
      aud: 'demo-web',
      sub: 'user_x',
      sid: 's',
      jti: 'j',
      events,
      iat: now,
      exp: now + 120,
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'RS256', typ: 'logout+jwt', kid })}.${part(claims)}`;
    const signature = sign(
      'RSA-SHA256',
      Buffer.from(signed),
      createPrivateKey({ key: privateJwk, format: 'jwk' }),
    );
    expect(await refusal(`${signed}.${signature.toString('base64url')}`)).toBe(
      '401 the token does not have a valid audience',
    );
  });

  test('no API can have an audience that another token of ours carries: the issuer, or a client id', () => {
    const problemsOf = (audience: string) => {
      try {
        parseAccessModel(JSON.stringify({ apis: [{ audience, name: 'x' }] }), 'apis.yaml', {
          issuer: deployment.issuer,
          audience,
        });
        return 'none';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problemsOf(deployment.audience)).toBe('none');
    expect(problemsOf(deployment.issuer)).toContain('must differ from GATEHOUSE_ISSUER');
    expect(problemsOf('demo-web')).toContain('must be an absolute URI');
  });

  test('a real token is no longer than the configuration assumes, and fits beside 4 KiB of other headers', async () => {
    const { accessToken } = await byLogin();
    const counted = largestAccessTokenBytes(demoAccessModel(deployment.audience), deployment.issuer);
    expect(accessToken.length).toBeLessThanOrEqual(counted);
    expect(counted).toBeLessThanOrEqual(tokenBudgetBytes);
    const headers = { cookie: 'x'.repeat(gatewayLimits.requestBytes - tokenBudgetBytes - 100) };
    const answer = await gateway.check({ authorization: `Bearer ${accessToken}`, headers, scopes: read });
    expect(answer.status).toBe(200);
  });
});
