import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { deviceCodeGrant } from '../../provider/lib/device-code-grant.ts';
import { documentOf, problemsOf, publicClient, secretHash, webClient } from './client-documents.ts';

const jwkOf = (type: 'rsa' | 'ec', half: 'publicKey' | 'privateKey', bits = 2048) => {
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return pair[half].export({ format: 'jwk' });
};
const rsa = jwkOf('rsa', 'publicKey');
const machine = (changes = {}) =>
  webClient({
    grants: ['client_credentials'],
    redirectUris: undefined,
    scopes: ['contracts:read'],
    ...changes,
  });
const keyed = (changes = {}) =>
  webClient({ auth: 'private_key_jwt', secrets: undefined, jwks: { keys: [rsa] }, ...changes });
const secret = (changes: unknown) => webClient({ secrets: [changes] });

test('missing fields get their defaults', () => {
  expect(documentOf(webClient())).toEqual({
    id: 'web',
    name: 'Web',
    enabled: true,
    firstParty: false,
    auth: 'client_secret_basic',
    assertionAudience: 'issuer',
    secrets: [{ sha256: secretHash }],
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: ['https://app.example.com/callback'],
    postLogoutRedirectUris: [],
    origins: [],
    scopes: ['openid', 'profile'],
    idTokenClaims: [],
    introspects: [],
    pkce: 'required',
    requirePushedAuthorizationRequests: false,
    requireSecondFactor: false,
    dpopBoundAccessTokens: false,
    applicationType: 'web',
  });
});

test('the device grant may be written as device_code or with its URN', () => {
  const grantsOf = (grant: string) => documentOf(publicClient({ grants: [grant, grant] })).grants;
  expect(grantsOf('device_code')).toEqual(['device_code']);
  expect(grantsOf(deviceCodeGrant)).toEqual(['device_code']);
});

const good: [what: string, document: unknown][] = [
  ['a public client', publicClient({ origins: ['https://app.example.com', 'http://localhost:5173'] })],
  ['a machine', machine()],
  ['a machine with a key', keyed({ grants: ['client_credentials'], redirectUris: undefined, scopes: [] })],
  [
    'keys of all kinds',
    keyed({ jwks: { keys: [rsa, { ...jwkOf('ec', 'publicKey'), kid: 'e', use: 'sig' }] } }),
  ],
  ['the other audience for assertions', keyed({ assertionAudience: 'token_endpoint' })],
  ['keys at a URI', keyed({ jwks: undefined, jwksUri: 'https://app.example.com/jwks' })],
  [
    'an API that only uses introspection',
    machine({ grants: [], scopes: [], introspects: ['https://api.example.com'] }),
  ],
  [
    'a first-party app with the password grant',
    publicClient({ firstParty: true, grants: ['password', 'refresh_token'] }),
  ],
  ['offline access', webClient({ scopes: ['openid', 'offline_access'] })],
  [
    'two secrets',
    webClient({
      secrets: [{ ref: 'env:NEW' }, { ref: 'file:/run/old', notAfter: '2030-01-01T00:00:00+01:00' }],
    }),
  ],
  ['a secret in Secrets Manager', secret({ ref: 'secretsmanager:clients#web' })],
  ['a hash in base64url', secret({ sha256: Buffer.from(secretHash, 'hex').toString('base64url') })],
  [
    'a default API',
    webClient({ defaultResource: 'https://api.example.com', scopes: ['openid', 'contracts:read'] }),
  ],
  [
    'every URI',
    webClient({
      logoUri: 'https://a.example/l.png',
      clientUri: 'https://a.example',
      policyUri: 'https://a.example/p',
      tosUri: 'http://localhost/t',
      backchannelLogoutUri: 'https://a.example/b',
    }),
  ],
  [
    'claims for its id tokens',
    webClient({
      scopes: ['openid', 'profile', 'email', 'groups', 'roles'],
      idTokenClaims: ['groups', 'roles', 'email', 'email_verified', 'updated_at', 'name', 'department'],
    }),
  ],
  ['pushed requests only', webClient({ requirePushedAuthorizationRequests: true })],
  ['bound tokens only', machine({ dpopBoundAccessTokens: true })],
  ['a disabled client', webClient({ enabled: false })],
  ['a grace of zero', webClient({ graceSeconds: 0, pkce: 'optional' })],
];

test.each(good)('accepts %s', (_, document) => {
  expect(problemsOf(document)).toEqual([]);
});

const bad: [what: string, document: unknown, problem: string | RegExp][] = [
  ['text', 'web', ': must be a map of fields'],
  ['nothing', null, ': must be a map of fields'],
  ['no id', webClient({ id: undefined }), '/id: is missing: it must be text'],
  ['a short id', webClient({ id: 'a' }), /^\/id: must be 2 to 128/],
  ['an id with a space', webClient({ id: 'my web' }), /^\/id: must be 2 to 128/],
  ['an id in the format of account ids', webClient({ id: 'user_1' }), /^\/id: must not start with "user_"/],
  [
    'the id of the account page',
    webClient({ id: 'gatehouse-account' }),
    /^\/id: must not be "gatehouse-account": that is the account page's own\. Use another id$/,
  ],
  ['an empty name', webClient({ name: ' ' }), '/name: must not be empty'],
  ['a name with two lines', webClient({ name: 'a\nb' }), '/name: must be one line'],
  ['text instead of a list', webClient({ scopes: 'openid' }), '/scopes: must be a list'],
  ['text instead of a boolean', webClient({ firstParty: 'yes' }), '/firstParty: must be true or false'],
  [
    'an unknown way to authenticate',
    webClient({ auth: 'client_secret_jwt' }),
    /^\/auth: Invalid option: expected one of "none"/,
  ],
  ['an unknown grant', webClient({ grants: ['implicit'] }), /^\/grants\/0: Invalid option/],
  ['a grace that is too long', webClient({ graceSeconds: 61 }), /^\/graceSeconds: Too big: .*60/],
  ['a grace of half a second', webClient({ graceSeconds: 0.5 }), '/graceSeconds: must be a whole number'],
  [
    'a field with a typing error',
    webClient({ redirctUris: [] }),
    '/redirctUris: is not a field of a client document: did you mean "redirectUris"?',
  ],
  [
    'a field in snake case',
    webClient({ post_logout_redirect_uris: [] }),
    /did you mean "postLogoutRedirectUris"\?/,
  ],
  ['a field of RFC 7591', webClient({ token_endpoint_auth_method: 'none' }), /did you mean "auth"\?/],
  ['an unknown field', webClient({ 'a/b~c': 1 }), /^\/a~1b~0c: is not a field .*: known are id, name/],
  ['a field name of the object prototype', webClient({ constructor: 1 }), /^\/constructor: is not a field/],
  [
    'a secret with neither ref nor sha256',
    secret({}),
    '/secrets/0: must have either "ref" or "sha256", one of the two',
  ],
  ['a secret with both ref and sha256', secret({ ref: 'env:A', sha256: secretHash }), /one of the two/],
  [
    'a plain secret',
    secret({ ref: 'env:A', value: 'hunter2' }),
    /^\/secrets\/0: has a field that is not known: .* a secret itself is never written here/,
  ],
  ['a secret as reference', secret({ ref: 'hunter2' }), /^\/secrets\/0\/ref: must be a reference/],
  ['a secret as hash', secret({ sha256: 'hunter2' }), /^\/secrets\/0\/sha256: must be the SHA-256/],
  [
    'a date without a time',
    secret({ ref: 'env:A', notAfter: '2030-01-01' }),
    /^\/secrets\/0\/notAfter: must be a date and time/,
  ],
  [
    'three secrets',
    webClient({ secrets: [1, 2, 3].map((n) => ({ ref: `env:A${n}` })) }),
    /^\/secrets: must hold at most two/,
  ],
  ['no secret', webClient({ secrets: [] }), /^\/secrets: "auth: client_secret_basic" needs a secret/],
  [
    'a public client with a secret',
    publicClient({ secrets: [{ ref: 'env:A' }] }),
    /^\/secrets: "auth: none" uses no secret/,
  ],
  [
    'a private_key_jwt client with a secret',
    keyed({ secrets: [{ ref: 'env:A' }] }),
    /^\/secrets: "auth: private_key_jwt" uses no secret/,
  ],
  [
    'a private_key_jwt client without keys',
    keyed({ jwks: undefined }),
    /^\/jwks: .* needs "jwks" or "jwksUri"/,
  ],
  ['both jwks and jwksUri', keyed({ jwksUri: 'https://a.example/jwks' }), /^\/jwks: .* keep one of the two/],
  [
    'keys of a client that authenticates with a secret',
    webClient({ jwks: { keys: [rsa] } }),
    '/jwks: is for "auth: private_key_jwt" only: remove it',
  ],
  [
    'an algorithm that is too weak',
    keyed({ jwks: { keys: [{ ...rsa, alg: 'RS1' }] } }),
    /^\/jwks\/keys\/0\/alg: must be RS256 or PS256/,
  ],
  [
    'an algorithm for encryption',
    keyed({ jwks: { keys: [{ ...rsa, alg: 'RSA-OAEP' }] } }),
    /^\/jwks\/keys\/0\/alg: must be RS256 or PS256/,
  ],
  [
    'an algorithm of another kind of key',
    keyed({ jwks: { keys: [{ ...jwkOf('ec', 'publicKey'), alg: 'RS256' }] } }),
    /^\/jwks\/keys\/0\/alg: must be ES256/,
  ],
  [
    'a name that every object has',
    webClient(JSON.parse('{"__proto__": "x"}')),
    /^\/__proto__: is not a field of a client document: known are id, /,
  ],
  [
    'another such name',
    webClient({ constructor: 'x' }),
    /^\/constructor: is not a field of a client document: known are id, /,
  ],
  [
    'a secret in braces',
    secret({ ref: 'env:A', 'hunter2-hunter2': null }),
    /^\/secrets\/0: has a field that is not known: known are ref, sha256, notAfter; a secret itself is never written here$/,
  ],
  [
    'a key of a curve whose signatures are not accepted',
    keyed({
      jwks: {
        keys: [generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })],
      },
    }),
    '/jwks/keys/0/crv: must be P-256: client assertions are accepted with ES256 only',
  ],
  [
    'an audience for assertions of a client that sends none',
    webClient({ assertionAudience: 'token_endpoint' }),
    '/assertionAudience: is for "auth: private_key_jwt" only: remove it',
  ],
  ['an unknown audience for assertions', keyed({ assertionAudience: 'any' }), /^\/assertionAudience: /],
  ['an empty list of keys', keyed({ jwks: { keys: [] } }), '/jwks/keys: must hold at least one key'],
  [
    'a private key',
    keyed({ jwks: { keys: [jwkOf('rsa', 'privateKey')] } }),
    /^\/jwks\/keys\/0: holds private parts \(d, p, q/,
  ],
  [
    'a private EC key',
    keyed({ jwks: { keys: [jwkOf('ec', 'privateKey')] } }),
    /^\/jwks\/keys\/0: holds private parts \(d\)/,
  ],
  [
    'a symmetric key',
    keyed({ jwks: { keys: [{ kty: 'oct', k: 'aGVsbG8' }] } }),
    /^\/jwks\/keys\/0(\/kty)?: must be a public key/,
  ],
  [
    'a weak key',
    keyed({ jwks: { keys: [jwkOf('rsa', 'publicKey', 1024)] } }),
    /^\/jwks\/keys\/0: is an RSA key of 1024 bits/,
  ],
  [
    'a point that is not on its curve',
    keyed({ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] } }),
    /^\/jwks\/keys\/0: is not a public key/,
  ],
  [
    'a key for encryption',
    keyed({ jwks: { keys: [{ ...rsa, use: 'enc' }] } }),
    /^\/jwks\/keys\/0\/use: must be "sig"/,
  ],
  ['a public client without PKCE', publicClient({ pkce: 'optional' }), /^\/pkce: a public client/],
  [
    'a public client with client_credentials',
    publicClient({ grants: ['client_credentials'] }),
    /^\/grants: client_credentials needs a client that can authenticate/,
  ],
  [
    'a public client that introspects',
    publicClient({ introspects: ['https://api.example.com'] }),
    /^\/introspects: only a client that can authenticate/,
  ],
  [
    'a third-party app with the password grant',
    webClient({ grants: ['password'] }),
    /^\/grants: password is for our own apps only/,
  ],
  [
    'authorization_code without a redirect URI',
    webClient({ redirectUris: [] }),
    '/redirectUris: authorization_code needs at least one redirect URI',
  ],
  [
    'refresh tokens without a grant that issues them',
    machine({ grants: ['client_credentials', 'refresh_token'] }),
    /^\/grants: refresh_token needs a grant that issues one/,
  ],
  ['no grants', machine({ grants: [] }), /^\/grants: must not be empty/],
  [
    'offline access without refresh tokens',
    webClient({ grants: ['authorization_code'], scopes: ['openid', 'offline_access'] }),
    /^\/scopes: offline_access works only/,
  ],
  [
    'profile and email without openid',
    webClient({ scopes: ['profile', 'email'] }),
    /^\/scopes: profile and email works only with openid/,
  ],
  [
    'roles and groups without openid',
    machine({ scopes: ['roles', 'groups'] }),
    '/scopes: roles and groups works only with openid: add it',
  ],
  [
    'pushed requests for a client that sends none',
    machine({ requirePushedAuthorizationRequests: true }),
    '/requirePushedAuthorizationRequests: is for the grant authorization_code only: add it to grants, or remove this field',
  ],
  [
    'the former name of the end of a secret',
    secret({ ref: 'env:A', expiresAt: '2030-01-01T00:00:00Z' }),
    '/secrets/0/expiresAt: is not a field of a client document: did you mean "notAfter"?; a secret itself is never written here',
  ],
  [
    'subjects that differ by client',
    webClient({ subjectType: 'pairwise' }),
    /^\/subjectType: is not supported: every client gets the same sub for a person/,
  ],
  [
    'a sector identifier',
    webClient({ sector_identifier_uri: 'https://a.example/s.json' }),
    /^\/sector_identifier_uri: is not supported: .*Remove it$/,
  ],
  [
    'request objects by reference',
    webClient({ requestUris: ['https://a.example/r.jwt'] }),
    /^\/requestUris: is not supported: .* push the request to \/oauth2\/par$/,
  ],
  [
    'a claim that does not exist',
    webClient({ idTokenClaims: ['name', 'departement'] }),
    '/idTokenClaims/1: there is no claim "departement" about a person: did you mean "department"?',
  ],
  [
    'a claim of the protocol as a claim about a person',
    webClient({ idTokenClaims: ['sub'] }),
    /^\/idTokenClaims\/0: there is no claim "sub" about a person: known are name, given_name, .*, department, email,/,
  ],
  [
    'a claim whose scope the client may not ask for',
    webClient({ idTokenClaims: ['name', 'groups'] }),
    '/idTokenClaims/1: "groups" belongs to the scope groups: add it to scopes, or remove the claim',
  ],
  [
    'no scopes for a grant with a person',
    webClient({ scopes: [] }),
    /^\/scopes: must name what the client may ask for/,
  ],
  ['two scopes in one entry', webClient({ scopes: ['openid profile'] }), /^\/scopes\/0: must be one scope/],
  [
    'a scope that no API defines',
    webClient({ scopes: ['openid', 'contract:read'] }),
    '/scopes/1: no API defines the scope "contract:read": did you mean "contracts:read"?',
  ],
  [
    'an audience that no API has',
    webClient({ defaultResource: 'urn:x' }),
    '/defaultResource: no API defines the audience "urn:x": known are https://api.example.com',
  ],
  [
    'an audience to introspect that no API has',
    webClient({ introspects: ['urn:x'] }),
    /^\/introspects\/0: no API defines the audience/,
  ],
];

test.each(bad)('refuses %s, with exactly one problem', (_, document, problem) => {
  const problems = problemsOf(document);
  expect(problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
});

describe('validation of a document with many errors', () => {
  const problems = problemsOf(
    webClient({
      id: 'user_x',
      auth: 'none',
      secrets: [{ ref: 'hunter2-hunter2' }, { 'hunter2-hunter2': null }],
      pkce: 'optional',
      firstparty: true,
      grants: ['password', 'client_credentials'],
      scopes: ['email', 'contracts:reed'],
      redirectUris: ['http://a.example/', 'nowhere'],
      postLogoutRedirectUris: ['http://a.example/'],
    }),
  );

  test('lists all problems at once', () => {
    const paths = problems.map((problem) => problem.slice(0, problem.indexOf(': ')));
    expect(paths.sort()).toEqual(
      [
        '/id',
        '/secrets/0/ref',
        '/secrets/1',
        '/secrets/1',
        '/pkce',
        '/firstparty',
        '/grants',
        '/grants',
        '/scopes',
        '/scopes/1',
        '/redirectUris/1',
        '/postLogoutRedirectUris/0',
      ].sort(),
    );
  });

  test('shows no value that could be a secret', () => {
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});
