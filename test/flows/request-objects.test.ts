import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { type Deployment, startServers } from '../support/deployment.ts';
import { createTestClient, pkce } from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { appDocument } from './apps.ts';

const { publicKey, privateKey } = await generateKeyPair('PS256');
const stranger = await generateKeyPair('PS256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'PS256', use: 'sig' }] };
const keyed = { id: 'keyed', name: 'keyed', firstParty: true, auth: 'private_key_jwt', jwks };
const redirectUri = 'http://localhost:8080/keyed/callback';
const clients = [{ ...keyed, redirectUris: [redirectUri], scopes: ['openid', 'email'] }, appDocument('web')];

const parameters = {
  client_id: 'keyed',
  response_type: 'code',
  redirect_uri: redirectUri,
  scope: 'openid email',
  state: 'signed',
  code_challenge: pkce.challenge,
  code_challenge_method: 'S256',
};

describe('signed authorization requests (RFC 9101)', () => {
  let deployment: Deployment;
  /** A browser in which a person is signed in. */
  let agent: UserAgent;
  beforeAll(async () => {
    deployment = await startServers({ clients, processes: 1, env: { GATEHOUSE_REQUEST_OBJECTS: 'true' } });
    agent = createUserAgent(deployment);
    await createTestClient(deployment, { id: 'keyed', redirectUri }).authorize(agent);
  }, 120_000);
  afterAll(() => deployment?.stop());

  const sign = (changes: JWTPayload = {}, header: object = {}, key = privateKey) =>
    new SignJWT({ ...parameters, iss: 'keyed', aud: deployment.issuer, ...changes })
      .setProtectedHeader({ alg: 'PS256', kid: 'one', ...header })
      .setExpirationTime('1m')
      .sign(key);
  const ask = async (request: string, more: Record<string, string> = {}) => {
    const query = new URLSearchParams({ client_id: 'keyed', request, ...more });
    const { url } = await agent.get(`${deployment.issuer}/oauth2/authorize?${query}`);
    return url.startsWith(redirectUri) ? Object.fromEntries(new URL(url).searchParams) : { at: url };
  };

  test('are advertised with the algorithms of keys alone', async () => {
    const answer = await deployment.fetch(`${deployment.issuer}/.well-known/openid-configuration`);
    const document = (await answer.json()) as Record<string, unknown>;
    expect(document).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    const algorithms = document.request_object_signing_alg_values_supported as string[];
    expect(algorithms).toEqual(expect.arrayContaining(['RS256', 'PS256', 'ES256']));
    expect(algorithms.filter((alg) => /^HS|none/.test(alg))).toEqual([]);
  });

  test.each([undefined, 'JWT', 'oauth-authz-req+jwt'])(
    'of typ %s count, and nothing beside them',
    async (typ) => {
      const answer = await ask(await sign({}, { typ }), {
        state: 'unsigned',
        redirect_uri: 'https://evil.example',
      });
      expect(answer).toEqual({ code: expect.any(String), state: 'signed', iss: deployment.issuer });
    },
  );

  test('that another signed, or that are changed, unsigned or for something else, are refused', async () => {
    const [header, , signature] = (await sign()).split('.');
    const changed = new UnsecuredJWT({
      ...parameters,
      iss: 'keyed',
      aud: deployment.issuer,
      scope: 'openid',
    });
    const requests: Record<string, string> = {
      'by another key': await sign({}, {}, stranger.privateKey),
      changed: `${header}.${changed.encode().split('.')[1]}.${signature}`,
      unsigned: changed.encode(),
      'for another server': await sign({ aud: 'https://other.example' }),
      'of another client': await sign({ iss: 'web' }),
      'a client assertion': await sign({ sub: 'keyed' }),
      'a proof': await sign({}, { typ: 'dpop+jwt' }),
    };
    for (const [what, request] of Object.entries(requests)) {
      const answer = await ask(request, { response_type: 'code', redirect_uri: redirectUri });
      expect([what, answer]).toEqual([what, expect.not.objectContaining({ code: expect.anything() })]);
      expect([what, answer]).toEqual([what, expect.objectContaining({ error: 'invalid_request_object' })]);
    }
  });

  test('of a client without keys are refused', async () => {
    const web = createTestClient(deployment, {
      id: 'web',
      redirectUri: 'http://localhost:8080/web/callback',
    });
    const request = await sign({ client_id: 'web', iss: 'web', redirect_uri: web.redirectUri });
    const { url } = await agent.get(web.authorizationUrl({ request }));
    expect(new URL(url).searchParams.get('error')).toBe('invalid_request_object');
  });

  test('may be pushed, too', async () => {
    const url = `${deployment.issuer}/oauth2/par`;
    const assertion = await new SignJWT({ iss: 'keyed', sub: 'keyed', aud: deployment.issuer, jti: 'once' })
      .setProtectedHeader({ alg: 'PS256', kid: 'one' })
      .setExpirationTime('1m')
      .sign(privateKey);
    const body = new URLSearchParams({
      request: await sign(),
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const pushed = await deployment.fetch(url, { method: 'POST', body });
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const query = new URLSearchParams({ client_id: 'keyed', request_uri });
    const page = await agent.get(`${deployment.issuer}/oauth2/authorize?${query}`);
    expect(new URL(page.url).searchParams.get('state')).toBe('signed');
    expect(new URL(page.url).searchParams.has('code')).toBe(true);
  });
});
