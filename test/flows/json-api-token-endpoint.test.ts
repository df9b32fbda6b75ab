import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { getProfile, postJson } from '../support/json-api.ts';
import { decodeJwt, demoApps, type JsonAnswer, jsonAnswer } from '../support/test-client.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const password = { grant_type: 'password', username: demo.email, password: demo.password };
const machine = { grant_type: 'client_credentials' };
const service = {
  name: 'A service',
  grants: ['client_credentials'],
  scopes: ['contracts:read', 'contracts:write'],
};

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

describe('the token endpoint without a browser, on two processes', () => {
  let deployment: Deployment;
  let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  beforeAll(async () => {
    const pair = await generateKeyPair('RS256');
    privateKey = pair.privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    const clients = [
      { ...service, id: 'by-post', auth: 'client_secret_post', secrets: [{ sha256: sha256('post-secret') }] },
      { ...service, id: 'by-key', auth: 'private_key_jwt', jwks: { keys: [jwk] } },
      {
        ...service,
        id: 'by-two-secrets',
        secrets: [
          { sha256: sha256('old secret: +%'), notAfter: '2999-01-01T00:00:00Z' },
          { sha256: sha256('new secret') },
        ],
      },
      {
        ...service,
        id: 'by-old-secret',
        secrets: [
          { sha256: sha256('expired-secret'), notAfter: '2001-01-01T00:00:00Z' },
          { sha256: sha256('live-secret') },
        ],
      },
    ];
    deployment = await startServers({ clients, env: { GATEHOUSE_SIGNUP: 'false' } });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const token = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const url = `${deployment.issuer}/oauth2/token`;
    const body = new URLSearchParams(fields);
    return jsonAnswer(await deployment.fetch(url, { method: 'POST', headers, body }));
  };
  const refusal = ({ status, body }: JsonAnswer) => [status, body.error];

  const assertion = (claims: Record<string, unknown> = {}) =>
    new SignJWT({ iss: 'by-key', sub: 'by-key', aud: deployment.issuer, jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime('1 minute')
      .sign(privateKey);
  const byKey = (jwt: string) => ({
    ...machine,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
  });

  describe('the password grant', () => {
    const own = { client_id: demoApps.firstParty.id };

    test("gives a first-party app the code flow's kind of tokens", async () => {
      const { status, headers, body } = await token({ ...password, ...own });
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: expect.any(String) });
      expect(Object.keys(body)).toEqual(expect.arrayContaining(['id_token', 'refresh_token']));
      expect((await getProfile(deployment, String(body.access_token))).status).toBe(200);
      const refreshed = await token({
        grant_type: 'refresh_token',
        refresh_token: String(body.refresh_token),
        ...own,
      });
      expect(refreshed.status).toBe(200);
    });

    test('grants fewer scopes if fewer are requested, and never others', async () => {
      const { body } = await token({ ...password, ...own, scope: 'openid contracts:read' });
      expect(decodeJwt(String(body.access_token)).claims.scope).toBe('openid contracts:read');
      expect(refusal(await token({ ...password, ...own, scope: 'openid admin' }))).toEqual([
        400,
        'invalid_scope',
      ]);
    });

    test('a wrong password and an unknown address get the same answer', async () => {
      const wrong = await token({ ...password, ...own, password: 'not-it' });
      const unknown = await token({ ...password, ...own, username: 'nobody@example.com' });
      expect(refusal(wrong)).toEqual([400, 'invalid_grant']);
      expect(wrong.body).toEqual(unknown.body);
      expect(refusal(await token({ ...password, ...own, password: '' }))).toEqual([400, 'invalid_request']);
    });

    test('is not for third parties, even with the right password', async () => {
      const web = basic(demoApps.web.id, demoApps.web.secret);
      for (const typed of [demo.password, 'not-it']) {
        const answer = await token({ ...password, password: typed }, web);
        expect([answer.status, answer.body.access_token]).toEqual([400, undefined]);
        expect(answer.body.error).toBe('unauthorized_client');
      }
      const spa = await token({ ...password, client_id: demoApps.spa.id });
      expect([spa.status, spa.body.access_token]).toEqual([400, undefined]);
    });
  });

  describe('client credentials', () => {
    test.each(['demo-service', 'by-post', 'by-key'])(
      '%s gets a token for the API, and no more',
      async (id) => {
        const ways: Record<string, () => Promise<JsonAnswer>> = {
          'demo-service': () => token(machine, basic(id, 'demo-service-secret')),
          'by-post': () => token({ ...machine, client_id: id, client_secret: 'post-secret' }),
          'by-key': async () => token(byKey(await assertion())),
        };
        const answer = await ways[id]?.();
        expect(answer?.status).toBe(200);
        expect(Object.keys(answer?.body ?? {}).sort()).toEqual([
          'access_token',
          'expires_in',
          'scope',
          'token_type',
        ]);
        const { claims } = decodeJwt(String(answer?.body.access_token));
        expect(claims).toMatchObject({ aud: deployment.audience, sub: id, client_id: id });
        expect(claims.email ?? claims.roles ?? claims.permissions).toBeUndefined();
      },
    );

    test('a wrong or missing secret is invalid_client, as RFC 6749 §5.2 requires', async () => {
      const wrong = await token(machine, basic('demo-service', 'not-the-secret'));
      expect(refusal(wrong)).toEqual([401, 'invalid_client']);
      expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
      const unknown = await token(machine, basic('no-such-client', 'not-the-secret'));
      expect([refusal(unknown), unknown.body]).toEqual([refusal(wrong), wrong.body]);
      const others = [
        { ...machine, client_id: 'by-post', client_secret: 'not-the-secret' },
        { ...machine, client_id: 'by-post', client_secret: '' },
        { ...machine, client_id: 'by-post' },
        { ...machine, client_id: 'demo-service' },
        { ...machine, client_id: 'by-key' },
      ];
      for (const fields of others) expect(refusal(await token(fields))).toEqual([401, 'invalid_client']);
    });

    test('a secret may be in the header or the body; a client with a key has no secret', async () => {
      const posted = { ...machine, client_id: 'demo-service', client_secret: 'demo-service-secret' };
      expect((await token(posted)).status).toBe(200);
      expect((await token(machine, basic('by-post', 'post-secret'))).status).toBe(200);
      for (const secret of ['post-secret', 'undefined', 'by-key']) {
        const answer = await token(machine, basic('by-key', secret));
        expect(refusal(answer)).toEqual([401, 'invalid_client']);
      }
    });

    test('of two live secrets both work, an expired one does not', async () => {
      for (const secret of ['old secret: +%', 'new secret']) {
        expect((await token(machine, basic('by-two-secrets', secret))).status).toBe(200);
      }
      expect((await token(machine, basic('by-old-secret', 'live-secret'))).status).toBe(200);
      const expired = await token(machine, basic('by-old-secret', 'expired-secret'));
      expect(refusal(expired)).toEqual([401, 'invalid_client']);
    });

    test('an assertion is accepted once, on any process', async () => {
      const jwt = await assertion();
      const answers = await Promise.all(Array.from({ length: 6 }, () => token(byKey(jwt))));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
      expect(refusal(await token(byKey(jwt)))).toEqual([401, 'invalid_client']);
    });

    test('an assertion for another audience or client is refused', async () => {
      const past = Math.floor(Date.parse('2001-01-01') / 1000);
      const wrong = [
        await assertion({ aud: 'https://other.example' }),
        await assertion({ aud: 'https://other.example/oauth2/token' }),
        await assertion({ sub: 'demo-service' }),
        await assertion({ iss: 'demo-service', sub: 'demo-service' }),
        await assertion({ jti: undefined }),
        await assertion({ nbf: past + 2_000_000_000 }),
      ];
      for (const jwt of wrong) {
        const answer = await token(byKey(jwt));
        expect([answer.body.error, answer.body.access_token]).toEqual(['invalid_client', undefined]);
      }
    });

    test('openid without a person is refused, and so is an unlisted scope', async () => {
      const own = basic('demo-service', 'demo-service-secret');
      expect(refusal(await token({ ...machine, scope: 'openid' }, own))).toEqual([400, 'invalid_scope']);
      const more = await token({ ...machine, scope: 'contracts:write' }, own);
      expect(refusal(more)).toEqual([400, 'invalid_scope']);
    });
  });

  test('with sign-up off, sign-up is refused for new and known addresses', async () => {
    for (const email of ['new@example.com', demo.email]) {
      const answer = await postJson(deployment, '/auth/register', { email, password: 'a-fine-password' });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        403,
        'signup_disabled',
      ]);
    }
  });
});
