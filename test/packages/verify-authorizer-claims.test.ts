import { describe, expect, test } from '@jest/globals';
import { createVerifier } from '../../packages/verify/src/index.ts';
import {
  type ApiEvent,
  requireAccessToken,
  requireAuthorizerClaims,
} from '../../packages/verify/src/lambda.ts';
import { type OwnIssuer, startOwnIssuer } from './own-issuer.ts';

const issuer = 'https://id.example.com';
const audience = 'https://api.example.com';
const verifier = createVerifier({ issuer, audience });

const exp = Math.floor(Date.now() / 1000) + 900;
const claims = {
  iss: issuer,
  sub: 'user_1',
  aud: audience,
  client_id: 'web',
  jti: 'a',
  iat: exp - 900,
  exp,
  scope: 'contracts:read',
  email_verified: true,
  roles: ['CLIENT', 'ADMIN'],
  permissions: ['contracts:read'],
};
type Claims = Record<string, unknown>;

const mapped = (form: (value: unknown) => unknown) => (given: Claims) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, form(value)]));
const asText = (value: unknown) => (Array.isArray(value) ? `[${value.join(' ')}]` : String(value));

/** The events in which API Gateway hands claims on. */
const events: [name: string, (given: Claims) => ApiEvent][] = [
  [
    'HTTP API, format 2.0',
    (given) => ({
      version: '2.0',
      headers: {},
      requestContext: { authorizer: { jwt: { claims: mapped(asText)(given), scopes: null } } },
    }),
  ],
  [
    'HTTP API, format 1.0',
    (given) => ({
      version: '1.0',
      headers: {},
      requestContext: { authorizer: { claims: mapped(asText)(given), scopes: null } },
    }),
  ],
  ['REST API', (given) => ({ headers: {}, requestContext: { authorizer: { claims: given } } })],
  [
    'REST API with claims as JSON texts',
    (given) => ({
      requestContext: { authorizer: { claims: mapped((value) => JSON.stringify(value))(given) } },
    }),
  ],
];

describe.each(events)('the claims of an authorizer: %s', (_name, eventOf) => {
  const call = (given: Claims, scopes: string[] = []) =>
    requireAuthorizerClaims(verifier, { scopes }, (_event: ApiEvent, token) => token)(eventOf(given), {});

  test('have the same types as those of a token', async () => {
    expect(await call(claims)).toMatchObject({ claims, roles: claims.roles, scopes: ['contracts:read'] });
  });

  test.each([[[]], [['one']], [['a:b', '[x]', 'x,y', ']', '{}', "it's"]]])(
    'read back the list %j',
    async (roles) => {
      expect(await call({ ...claims, roles })).toMatchObject({ roles });
    },
  );

  test('need the scopes of the route', async () => {
    const answer = await call(claims, ['contracts:write']);
    expect(answer).toMatchObject({
      statusCode: 403,
      headers: { 'WWW-Authenticate': expect.stringContaining('scope="contracts:write"') },
    });
  });

  test.each<[name: string, change: Claims]>([
    ['another issuer', { iss: 'https://other.example.com' }],
    ['another audience', { aud: 'web' }],
    ['a token that is expired', { exp: exp - 2_000 }],
    ['a token that is bound to a key', { cnf: { jkt: 'abc' } }],
    ['an id token, which has no client_id', { client_id: undefined }],
  ])('of %s are refused', async (_case, change) => {
    const given = Object.fromEntries(
      Object.entries({ ...claims, ...change }).filter(([, value]) => value !== undefined),
    );
    const answer = await call(given);
    expect(answer).toMatchObject({ statusCode: 401, body: expect.stringContaining('invalid_token') });
  });
});

test.each<[name: string, event: ApiEvent]>([
  ['no authorizer', { headers: {}, requestContext: {} }],
  ['an empty authorizer', { headers: {}, requestContext: { authorizer: null } }],
  ['no context', {}],
  ['a Lambda authorizer', { requestContext: { authorizer: { lambda: { claims } } } }],
])('a call through a route with %s is refused with 401', async (_name, event) => {
  const handler = requireAuthorizerClaims(verifier, {}, () => 'never');
  expect(await handler(event, {})).toMatchObject({
    statusCode: 401,
    headers: { 'WWW-Authenticate': 'Bearer', 'Content-Type': 'application/problem+json' },
  });
});

describe('a function that checks the token itself', () => {
  const eventsWith = (authorization: string): [name: string, event: ApiEvent][] => [
    ['format 2.0', { headers: { authorization } }],
    [
      'format 1.0',
      { headers: { Authorization: authorization }, multiValueHeaders: { Authorization: [authorization] } },
    ],
  ];

  const withIssuer = async (run: (own: OwnIssuer) => Promise<void>) => {
    const own = await startOwnIssuer();
    await run(own).finally(own.close);
  };

  test('reads the header of both payload formats', async () => {
    await withIssuer(async (own) => {
      const ours = createVerifier({ issuer: own.url, audience });
      const handler = requireAccessToken(
        ours,
        { scopes: ['contracts:read'] },
        (event: ApiEvent, token, context) => ({
          subject: token.subject,
          event,
          context,
        }),
      );
      for (const [, event] of eventsWith(`Bearer ${await own.token()}`))
        expect(await handler(event, 'context')).toEqual({ subject: 'user_1', event, context: 'context' });
      for (const [, event] of eventsWith('Bearer x'))
        expect(await handler(event, {})).toMatchObject({ statusCode: 401 });
    });
  });

  test('answers the refusals of its handler, and passes other errors on', async () => {
    await withIssuer(async (own) => {
      const ours = createVerifier({ issuer: own.url, audience });
      const seen: string[] = [];
      const event = { headers: { authorization: `Bearer ${await own.token()}` } };
      const onRefusal = ({ code }: { code: string }) => seen.push(code);
      const refusing = requireAccessToken(ours, { onRefusal }, (_event: ApiEvent, token) =>
        token.requirePermissions('contracts:write'),
      );
      expect(await refusing(event, {})).toMatchObject({ statusCode: 403 });
      expect(seen).toEqual(['insufficient_permissions']);
      const failing = requireAccessToken(ours, {}, () => {
        throw new RangeError('other');
      });
      await expect(failing(event, {})).rejects.toThrow(RangeError);
    });
  });

  test('refuses a request with two Authorization headers, even if both tokens are right', async () => {
    await withIssuer(async (own) => {
      const right = `Bearer ${await own.token()}`;
      const ours = createVerifier({ issuer: own.url, audience });
      const handler = requireAccessToken(ours, {}, (_event: ApiEvent) => 'called');
      expect(await handler({ headers: { authorization: right } }, {})).toBe('called');
      for (const event of [
        { headers: { Authorization: right }, multiValueHeaders: { Authorization: [right, right] } },
        { headers: { authorization: right, Authorization: right } },
        { headers: { authorization: `${right},${right}` } },
      ])
        expect(await handler(event, {})).toMatchObject({ statusCode: 401 });
    });
  });
});

test('with the look at revocation, claims alone are not enough', async () => {
  const own = await startOwnIssuer();
  try {
    const looking = createVerifier({ issuer: own.url, audience, revocation: true });
    const handler = requireAuthorizerClaims(looking, {}, (_event: ApiEvent, { revocation }) => revocation);
    const authorizer = { claims: { ...claims, iss: own.url } };
    expect(await handler({ requestContext: { authorizer } }, {})).toMatchObject({ statusCode: 401 });
    const headers = { authorization: `Bearer ${await own.token()}` };
    own.answers.set('/auth/verify', () => ({
      status: 200,
      headers: { 'x-auth-subject': 'user_1', 'x-auth-revocation': 'checked' },
    }));
    expect(await handler({ headers, requestContext: { authorizer } }, {})).toBe('checked');
    own.answers.set('/auth/verify', () => ({ status: 401 }));
    expect(await handler({ headers, requestContext: { authorizer } }, {})).toMatchObject({ statusCode: 401 });
  } finally {
    await own.close();
  }
});

test('requirements that are written wrongly stop the service when it starts', () => {
  expect(() => requireAccessToken(verifier, { scopes: ['a b'] }, () => 'never')).toThrow(TypeError);
});
