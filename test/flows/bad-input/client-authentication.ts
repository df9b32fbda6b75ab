import { type BadInput, form, sentinel, taken, toClient } from './row.ts';

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const machine = { grant_type: 'client_credentials' };
const own = { client_id: 'demo-service', client_secret: 'demo-service-secret' };
const basic = (text: string) => `Basic ${base64(text)}`;
const right = basic('demo-service:demo-service-secret');

const badHeader = toClient(400, 'invalid_request', /invalid authorization header value format/);
const badEncoding = toClient(400, 'invalid_request', /not properly encoded/);
const failed = toClient(401, 'invalid_client', /client authentication failed/);
const oneOnly = toClient(400, 'invalid_request', /only be provided using one mechanism/);
const none = toClient(400, 'invalid_request', /no client authentication mechanism/);

const headers: [name: string, authorization: string, expected: typeof failed][] = [
  ['nothing after Basic', 'Basic', badHeader],
  ['an empty value after Basic', 'Basic ', badHeader],
  ['a value that isn’t base64', 'Basic ***', badHeader],
  ['base64 of another alphabet', 'Basic -_-_', badHeader],
  ['no colon', basic('demo-service'), badHeader],
  ['two at once', `${right}, ${right}`, badHeader],
  ['blanks before it', `Basic   ${base64('demo-service:demo-service-secret')}`, badHeader],
  ['another scheme', `Negotiate ${sentinel}`, badHeader],
  ['a bearer token', `Bearer ${sentinel}-token`, badHeader],
  ['a broken escape', basic(`demo-service:${sentinel}%zz`), badEncoding],
  ['a broken escape in the id', basic(`%:${sentinel}`), badEncoding],
  ['an escape that isn’t UTF-8', basic(`%ff:${sentinel}`), badEncoding],
  ['bytes that aren’t UTF-8', basic(`\xff\xfe:${sentinel}`), badEncoding],
  ['a NUL', basic('\0:\0'), badEncoding],
  ['an escaped NUL', basic('demo-service:%00'), badEncoding],
  ['a wrong secret', basic(`demo-service:${sentinel}`), failed],
  ['an unknown client', basic(`no-such-client:${sentinel}`), failed],
  ['a secret with a colon', basic(`demo-service:${sentinel}:b`), failed],
  ['the name of a property', basic(`__proto__:${sentinel}`), failed],
  ['a secret of 8 KB', basic(`demo-service:${sentinel.repeat(1_000)}`), failed],
  ['no id', basic(`:${sentinel}`), none],
  ['no secret', basic('demo-service:'), toClient(400, 'invalid_request', /client_secret must be provided/)],
];

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const badAssertion = toClient(400, 'invalid_request', /invalid client_assertion format/);
const assertions: [name: string, client_assertion: string, expected: typeof failed][] = [
  ['no JWT', `${sentinel}-assertion`, badAssertion],
  ['three dots', 'a.b.c', badAssertion],
  ['JSON that is null', `${base64url('null')}.${base64url('null')}.x`, badAssertion],
  ['JSON that is an array', `${base64url('[]')}.${base64url('[]')}.x`, badAssertion],
  ['an unsigned JWT', `${base64url('{"alg":"none"}')}.${base64url('{}')}.`, failed],
];

const proofs: [name: string, proof: string][] = [
  ['no JWT', 'x'],
  ['three dots', 'a.b.c'],
  ['two at once', 'a.b.c, a.b.c'],
  ['JSON that is null', `${base64url('null')}.${base64url('null')}.x`],
  ['a key that is an array', `${base64url('{"alg":"ES256","typ":"dpop+jwt","jwk":[]}')}.e30.x`],
  [
    'an empty key',
    `${base64url('{"alg":"RS256","typ":"dpop+jwt","jwk":{"kty":"RSA","n":"","e":""}}')}.e30.x`,
  ],
  ['a symmetric key', `${base64url('{"alg":"HS256","typ":"dpop+jwt","jwk":{"kty":"oct","k":"AA"}}')}.e30.x`],
];

/** Clients that authenticate wrongly, in several ways at once, or not at all. */
export const clientAuthentication: BadInput[] = [
  ...headers.map(([name, Authorization, expected]) => ({
    name: `client authentication with ${name}`,
    send: form('/oauth2/token', machine, { Authorization }),
    expected,
  })),
  ...assertions.map(([name, client_assertion, expected]) => ({
    name: `a client assertion that is ${name}`,
    send: form('/oauth2/token', { ...machine, client_assertion, client_assertion_type: assertionType }),
    expected,
  })),
  ...proofs.map(([name, DPoP]) => ({
    name: `a DPoP proof that is ${name}`,
    send: form('/oauth2/token', { ...machine, ...own }, { DPoP }),
    expected: toClient(400, 'invalid_dpop_proof', /DPoP/),
  })),
  {
    name: 'two ways at once, header and body',
    send: form('/oauth2/token', { ...machine, ...own }, { Authorization: right }),
    expected: oneOnly,
  },
  {
    name: 'two ways at once, secret and assertion',
    send: form('/oauth2/token', {
      ...machine,
      ...own,
      client_assertion: 'a.b.c',
      client_assertion_type: assertionType,
    }),
    expected: oneOnly,
  },
  {
    name: 'one client in the header, another in the body',
    send: form('/oauth2/token', { ...machine, client_id: 'demo-web' }, { Authorization: right }),
    expected: toClient(400, 'invalid_request', /client_id mismatch/),
  },
  {
    name: 'two secrets',
    send: form('/oauth2/token', `${new URLSearchParams({ ...machine, ...own })}&client_secret=${sentinel}`),
    expected: toClient(400, 'invalid_request', /must not be provided twice/),
  },
  { name: 'no client', send: form('/oauth2/token', machine), expected: none },
  ...['nobody', '__proto__', 'a\0b', '\ud800', 'demo-service '].map((client_id) => ({
    name: `the client ${JSON.stringify(client_id)} in the body`,
    send: form('/oauth2/token', { ...machine, client_id, client_secret: `${sentinel}-secret` }),
    expected: failed,
  })),
  {
    name: 'a confidential client without its secret',
    send: form('/oauth2/token', { ...machine, client_id: 'demo-service' }),
    expected: failed,
  },
  {
    name: 'revocation by an unknown public client',
    send: form('/oauth2/revoke', { client_id: 'nobody', token: `${sentinel}-token` }),
    expected: failed,
  },
  {
    name: 'the scheme in lower case, which is valid (RFC 9110 §11.1)',
    send: form('/oauth2/token', machine, { Authorization: right.replace('Basic', 'bAsIc') }),
    expected: taken(200, /"access_token":/),
  },
];
