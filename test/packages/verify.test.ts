import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createVerifier, type VerifierOptions, VerifyError } from '../../packages/verify/src/index.ts';
import { multiFactorAcr, passwordAcr } from '../../provider/lib/password-sign-in.ts';
import { type OwnIssuer, startOwnIssuer } from './own-issuer.ts';

let issuer: OwnIssuer;
beforeAll(async () => {
  issuer = await startOwnIssuer();
});
beforeEach(() => {
  issuer.answers.clear();
  issuer.requests.length = 0;
});
afterAll(() => issuer?.close());

const verifierFor = (more: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: issuer.url, audience: issuer.audience, ...more });

/** The refusal, as a caller gets it. */
async function refusalOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => {
      throw new Error('the token was accepted');
    },
    (cause: unknown) => cause,
  );
  if (!(error instanceof VerifyError)) throw error;
  return { code: error.code, status: error.status, challenge: error.headers['WWW-Authenticate'], error };
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

describe('a token', () => {
  test('of the issuer for this API is accepted, and its claims have their types', async () => {
    const claims = { email: 'john@example.com', email_verified: true, roles: ['CLIENT'] };
    const token = await verifierFor().verify(await issuer.token(claims));
    expect(token).toMatchObject({
      subject: 'user_1',
      clientId: 'web',
      audience: issuer.audience,
      isService: false,
      scopes: ['contracts:read'],
      roles: ['CLIENT'],
      permissions: ['contracts:read'],
      revocation: 'not_requested',
      claims,
    });
    expect(token.expiresAt.getTime()).toBe(token.claims.exp * 1000);
  });

  test('of a client for itself is known as a service', async () => {
    expect(await verifierFor().verify(await issuer.token({ sub: 'web' }))).toHaveProperty('isService', true);
  });

  test.each<[name: string, claims: object, header: object]>([
    ['of another issuer', { iss: 'https://other.example.com' }, {}],
    ['for another audience', { aud: 'https://other.example.com' }, {}],
    ['without an audience', { aud: undefined }, {}],
    ['that is expired', { exp: seconds() - 60 }, {}],
    ['without an end', { exp: undefined }, {}],
    ['that is not valid yet', { nbf: seconds() + 600 }, {}],
    ['without a client', { client_id: undefined }, {}],
    ['whose permissions are no list', { permissions: 'contracts:read' }, {}],
    ['that is bound to a key', { cnf: { jkt: 'abc' } }, {}],
    ['that is an id token', {}, { typ: 'JWT' }],
    ['without typ', {}, { typ: undefined }],
    ['that is a logout token', {}, { typ: 'logout+jwt' }],
    ['with an unknown key', {}, { kid: 'unknown' }],
  ])('%s is refused with 401 invalid_token', async (_name, claims, header) => {
    const token = await issuer.token({ ...claims }, { ...header });
    expect(await refusalOf(verifierFor().verify(token))).toMatchObject({
      code: 'invalid_token',
      status: 401,
      challenge: expect.stringMatching(/^Bearer error="invalid_token", error_description="[^"]+"$/),
    });
  });

  test('without a signature, or signed with the public key as a secret, is refused', async () => {
    const [, payload] = (await issuer.token()).split('.');
    const none = `${json({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
    const head = `${json({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' })}.${payload}`;
    const keys = JSON.stringify(await (await fetch(`${issuer.url}/jwks`)).json());
    const hs256 = `${head}.${createHmac('sha256', keys).update(head).digest('base64url')}`;
    for (const token of [none, hs256, 'no token', '', 'a.b.c'])
      expect(await refusalOf(verifierFor().verify(token))).toMatchObject({ code: 'invalid_token' });
  });

  test('with another algorithm is refused, unless the service allows it', async () => {
    const other = await startOwnIssuer('ES256');
    try {
      const { url, audience } = other;
      const token = await other.token();
      const refused = createVerifier({ issuer: url, audience }).verify(token);
      expect(await refusalOf(refused)).toMatchObject({ code: 'invalid_token' });
      await createVerifier({ issuer: url, audience, algorithms: ['RS256', 'ES256'] }).verify(token);
    } finally {
      await other.close();
    }
  });

  test('with a changed payload is refused', async () => {
    const [header, payload = '', signature] = (await issuer.token()).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const changed = [header, json({ ...claims, sub: 'user_2' }), signature].join('.');
    expect(await refusalOf(verifierFor().verify(changed))).toMatchObject({ code: 'invalid_token' });
  });

  test('is accepted for as long as the clocks may differ', async () => {
    const token = await issuer.token({ exp: seconds() - 20 });
    await verifierFor({ clockToleranceSeconds: 60 }).verify(token);
    expect(await refusalOf(verifierFor().verify(token))).toMatchObject({ code: 'invalid_token' });
  });
});

describe('the requirements', () => {
  test('a missing scope is refused with 403, and the challenge names all scopes that are needed', async () => {
    const scopes = ['contracts:read', 'contracts:write'];
    const { code, status, challenge } = await refusalOf(verifierFor({ scopes }).verify(await issuer.token()));
    expect({ code, status }).toEqual({ code: 'insufficient_scope', status: 403 });
    expect(challenge).toMatch(
      /^Bearer error="insufficient_scope", .*, scope="contracts:read contracts:write"$/,
    );
  });

  test('a missing permission is refused with 403 without a challenge, because a new token would lack it too', async () => {
    const token = await verifierFor().verify(await issuer.token());
    token.requirePermissions('contracts:read');
    const refused = await refusalOf((async () => token.requirePermissions('contracts:write'))());
    expect(refused).toMatchObject({ code: 'insufficient_permissions', status: 403, challenge: undefined });
  });

  test('a call adds requirements to those of the verifier', async () => {
    const verifier = verifierFor({ scopes: ['contracts:read'] });
    const token = await issuer.token({ scope: 'contracts:write' });
    const promise = verifier.verify(token, { scopes: ['contracts:write'] });
    expect(await refusalOf(promise)).toMatchObject({
      code: 'insufficient_scope',
      challenge: expect.stringContaining('scope="contracts:read contracts:write"'),
    });
  });

  test('requirements that are written wrongly are a mistake of the service, not of the token', async () => {
    const scopes = 'contracts:read' as unknown as string[];
    await expect(verifierFor().verify(await issuer.token(), { scopes })).rejects.toThrow(TypeError);
    const token = await verifierFor().verify(await issuer.token());
    expect(() => token.requireScopes('a "b"')).toThrow(TypeError);
  });

  test('a call cannot lower the requirements of the verifier', async () => {
    const verifier = verifierFor({ maxAgeSeconds: 60, acr: ['key'] });
    const old = verifier.verify(await issuer.token({ auth_time: seconds() - 300, acr: 'key' }), {
      maxAgeSeconds: 600,
    });
    expect((await refusalOf(old)).challenge).toContain('max_age="60"');
    const weak = verifier.verify(await issuer.token({ auth_time: seconds(), acr: 'otp' }), {
      acr: ['otp', 'key'],
    });
    expect((await refusalOf(weak)).challenge).toContain('acr_values="key"');
  });

  test.each<[name: string, claims: object, more: object, parameters: string]>([
    ['too long ago', { auth_time: seconds() - 700 }, { maxAgeSeconds: 600 }, 'max_age="600"'],
    ['at an unknown time', {}, { maxAgeSeconds: 600 }, 'max_age="600"'],
    ['in another way', { acr: 'password' }, { acr: ['otp', 'key'] }, 'acr_values="otp key"'],
    ['in an unknown way', {}, { acr: ['otp'] }, 'acr_values="otp"'],
  ])('a sign-in %s is refused with the challenge of RFC 9470', async (_name, claims, more, parameters) => {
    const { status, challenge } = await refusalOf(
      verifierFor(more).verify(await issuer.token({ ...claims })),
    );
    expect(status).toBe(401);
    expect(challenge).toMatch(
      /^Bearer error="insufficient_user_authentication", error_description="[^"]+", /,
    );
    expect(challenge).toContain(parameters);
  });

  test('a higher level of Gatehouse is enough, and two requirements together need the higher one', async () => {
    const token = await issuer.token({ acr: multiFactorAcr });
    await verifierFor({ acr: [passwordAcr] }).verify(token);
    await verifierFor({ acr: [passwordAcr] }).verify(token, { acr: [multiFactorAcr] });
    const both = { acr: [multiFactorAcr] };
    const weak = verifierFor({ acr: [passwordAcr] }).verify(await issuer.token({ acr: passwordAcr }), both);
    expect((await refusalOf(weak)).challenge).toContain(`acr_values="${multiFactorAcr}"`);
  });

  test('a recent sign-in in one of the required ways is accepted', async () => {
    const token = await issuer.token({ auth_time: seconds() - 500, acr: 'key' });
    await verifierFor({ maxAgeSeconds: 600, acr: ['otp', 'key'] }).verify(token);
  });
});

describe('the header Authorization', () => {
  test.each([undefined, '', 'Basic YTpi', 'DPoP abc', 'Bearerabc'])(
    '%p has no token: the challenge has no error',
    async (header) => {
      expect(await refusalOf(verifierFor().verifyHeader(header))).toMatchObject({
        code: 'missing_token',
        status: 401,
        challenge: 'Bearer',
      });
    },
  );

  test.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,Bearer b', 'bearer "a"'])(
    '%p is malformed',
    async (header) => {
      expect(await refusalOf(verifierFor().verifyHeader(header))).toMatchObject({ code: 'invalid_token' });
    },
  );

  test('every challenge names the metadata of the API', async () => {
    const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource';
    const verifier = verifierFor({ resourceMetadata, scopes: ['a'] });
    const parameter = `resource_metadata="${resourceMetadata}"`;
    expect((await refusalOf(verifier.verifyHeader(undefined))).challenge).toBe(`Bearer ${parameter}`);
    for (const header of ['Bearer x', `bearer ${await issuer.token()}`])
      expect((await refusalOf(verifier.verifyHeader(header))).challenge).toMatch(
        new RegExp(`, ${parameter}$`),
      );
  });

  test('a refusal has a problem document and is never cached', async () => {
    const { error } = await refusalOf(verifierFor().verifyHeader(undefined));
    expect(error.headers['Cache-Control']).toBe('no-store');
    expect(error.toProblem()).toEqual({
      type: 'urn:gatehouse:problem:missing_token',
      title: 'missing token',
      status: 401,
      detail: error.message,
      code: 'missing_token',
    });
  });
});

describe('wrong options', () => {
  test('are refused when the service starts, all at once', () => {
    const create = () =>
      createVerifier({
        issuer: 'http://id.example.com',
        audience: '',
        algorithms: ['HS256'],
        scopes: ['a b'],
        maxAgeSeconds: -1,
        clockToleranceSeconds: Number.NaN,
        jwksUri: 'keys',
      });
    expect(create).toThrow(TypeError);
    for (const name of ['issuer', 'audience', 'algorithms', 'scopes', 'maxAgeSeconds', 'clockTol', 'jwksUri'])
      expect(create).toThrow(new RegExp(`\\b${name}`));
  });

  test('issuer and audience are needed', () => {
    expect(() => createVerifier({} as VerifierOptions)).toThrow(
      /audience must name your API.*issuer must be/,
    );
  });

  test('http is accepted where it is allowed', () => {
    createVerifier({ issuer: 'http://id.internal', audience: 'a', allowHttp: true });
  });
});
