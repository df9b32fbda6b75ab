import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, threeProcesses } from '../support/deployment.ts';
import { createDpopKey, type DpopKey } from '../support/dpop.ts';
import { startInProcess } from '../support/in-process.ts';
import { createTestClient, type TestClient, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, outcomesOf, tally } from './apps.ts';

const { publicKey, privateKey } = await generateKeyPair('ES256');

const keyed = {
  id: 'keyed',
  name: 'Keyed',
  auth: 'private_key_jwt',
  jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }] },
  grants: ['client_credentials', 'authorization_code'],
  redirectUris: ['http://localhost:8080/keyed/callback'],
  scopes: ['openid', 'contracts:read'],
};
const machine = appDocument('machine', { grants: ['client_credentials'], scopes: ['contracts:read'] });
const clients = [keyed, machine, appDocument('shop')];

/** Creates a client assertion of `keyed` (RFC 7523 §2.2). */
async function assertionFor({ issuer }: Deployment) {
  const client_assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('keyed')
    .setSubject('keyed')
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);
  return {
    client_assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
}

describe.each(threeProcesses)('assertions and proofs can be used once, on $name', ({ start }) => {
  let deployment: Deployment;
  let self: TestClient;
  let dpop: DpopKey;
  beforeAll(async () => {
    deployment = await start({ clients });
    self = createTestClient(deployment, { id: 'keyed' });
    dpop = await createDpopKey();
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('of 100 parallel token requests with one assertion one succeeds', async () => {
    const assertion = await assertionFor(deployment);
    const form = { grant_type: 'client_credentials', ...assertion };
    const given = await atOnce(100, () => self.post('token', form));
    expect(outcomesOf(given)).toEqual({ 200: 1, invalid_client: 99 });
    expect((await self.post('token', form)).body.error).toBe('invalid_client');
    expect(outcomesOf([await self.post('token', { ...form, ...(await assertionFor(deployment)) })])).toEqual({
      200: 1,
    });
  });

  test('an assertion counts once for all endpoints together', async () => {
    const assertion = await assertionFor(deployment);
    const token = tokensOf(await createApp(deployment, 'machine').clientCredentials()).access_token;
    const pushed = {
      response_type: 'code',
      redirect_uri: 'http://localhost:8080/keyed/callback',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    };
    const endpoints: [string, Record<string, string>][] = [
      ['token', { grant_type: 'client_credentials' }],
      ['introspect', { token }],
      ['revoke', { token }],
      ['par', pushed],
    ];
    const given = await atOnce(100, (index) => {
      const [path, form] = endpoints[index % endpoints.length] ?? ['token', {}];
      return self.post(path, { ...form, ...assertion });
    });
    const refused = given.filter(({ body }) => body.error === 'invalid_client');
    expect(refused).toHaveLength(99);
    expect(given.filter(({ status }) => status < 300)).toHaveLength(1);
  });

  test('of 100 parallel token requests with one DPoP proof one succeeds', async () => {
    const app = createApp(deployment, 'machine');
    const proof = await dpop.header('POST', `${deployment.issuer}/oauth2/token`);
    const given = await atOnce(100, () => app.clientCredentials({}, proof));
    expect(outcomesOf(given)).toEqual({ 200: 1, invalid_dpop_proof: 99 });
  });

  test('of 100 parallel pushed requests with one DPoP proof one succeeds', async () => {
    const app = createApp(deployment, 'shop');
    const proof = await dpop.header('POST', `${deployment.issuer}/oauth2/par`);
    const form = Object.fromEntries(new URL(app.authorizationUrl()).searchParams);
    const given = await atOnce(100, () => app.post('par', form, proof));
    expect(outcomesOf(given)).toEqual({ 201: 1, invalid_dpop_proof: 99 });
  });

  test('of 100 parallel userinfo requests with one DPoP proof one succeeds', async () => {
    const app = createApp(deployment, 'shop');
    const agent = createUserAgent(deployment);
    const code = await app.code(agent, { scope: allScopes });
    const atToken = await dpop.header('POST', `${deployment.issuer}/oauth2/token`);
    const { access_token: token } = tokensOf(await app.redeem(code, {}, atToken));
    const url = `${deployment.issuer}/oauth2/userinfo`;
    const headers = { authorization: `DPoP ${token}`, ...(await dpop.header('GET', url, token)) };
    const statuses = await atOnce(100, async () => {
      const answer = await deployment.fetch(url, { headers });
      await answer.arrayBuffer();
      return answer.status;
    });
    expect(tally(statuses)).toEqual({ 200: 1, 401: 99 });
    // `/user/profile` accepts no proofs, so it refuses such a token with and without a proof.
    const profile = `${deployment.issuer}/user/profile`;
    for (const scheme of ['DPoP', 'Bearer']) {
      const proof = await dpop.header('GET', profile, token);
      const asked = await deployment.fetch(profile, {
        headers: { ...proof, authorization: `${scheme} ${token}` },
      });
      await asked.arrayBuffer();
      expect([scheme, asked.status]).toEqual([scheme, 401]);
    }
  });
});

test('a proof from a clock that is ahead is stored until it expires', async () => {
  const deployment = await startInProcess(clients);
  try {
    const app = createApp(deployment, 'machine');
    const dpop = await createDpopKey({ aheadSeconds: 290 });
    const proof = await dpop.header('POST', `${deployment.issuer}/oauth2/token`);
    const ask = () => app.clientCredentials({}, proof);
    expect((await ask()).status).toBe(200);
    for (const seconds of [1, 200, 120, 200, 65]) {
      deployment.advance(seconds);
      expect((await ask()).status).toBe(400);
    }
  } finally {
    await deployment.stop();
  }
}, 120_000);
