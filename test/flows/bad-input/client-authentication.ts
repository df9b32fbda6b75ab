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

const headers: [name: string, authorization: string, told: typeof failed][] = [
  ['nothing after Basic', 'Basic', badHeader],
  ['an empty value after Basic', 'Basic ', badHeader],
  ['no base64', 'Basic ***', badHeader],
  ['base64 of another alphabet', 'Basic -_-_', badHeader],
  ['no colon', basic('demo-service'), badHeader],
  ['two at once', `${right}, ${right}`, badHeader],
  ['blanks before it', `Basic   ${base64('demo-service:demo-service-secret')}`, badHeader],
  ['another scheme', `Negotiate ${sentinel}`, badHeader],
  ['a bearer token', `Bearer ${sentinel}-token`, badHeader],
  ['a broken escape', basic(`demo-service:${sentinel}%zz`), badEncoding],
  ['a broken escape in the id', basic(`%:${sentinel}`), badEncoding],
  ['an escape that is no UTF-8', basic(`%ff:${sentinel}`), badEncoding],
  ['bytes that are no UTF-8', basic(`\xff\xfe:${sentinel}`), badEncoding],
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
const assertions: [name: string, client_assertion: string, told: typeof failed][] = [
  ['no JWT', `${sentinel}-assertion`, badAssertion],
  ['three dots', 'a.b.c', badAssertion],
  ['JSON that is null', `${base64url('null')}.${base64url('null')}.x`, badAssertion],
  ['JSON that is an array', `${base64url('[]')}.${base64url('[]')}.x`, badAssertion],
  ['one nobody signed', `${base64url('{"alg":"none"}')}.${base64url('{}')}.`, failed],
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

/** Clients that prove themselves wrongly, in too many ways, or not at all. */
export const clientAuthentication: BadInput[] = [
  ...headers.map(([name, Authorization, told]) => ({
    name: `client authentication with ${name}`,
    send: form('/oauth2/token', machine, { Authorization }),
    told,
  })),
  ...assertions.map(([name, client_assertion, told]) => ({
    name: `a client assertion that is ${name}`,
    send: form('/oauth2/token', { ...machine, client_assertion, client_assertion_type: assertionType }),
    told,
  })),
  ...proofs.map(([name, DPoP]) => ({
    name: `a DPoP proof that is ${name}`,
    send: form('/oauth2/token', { ...machine, ...own }, { DPoP }),
    told: toClient(400, 'invalid_dpop_proof', /DPoP/),
  })),
  {
    name: 'two ways at once, header and body',
    send: form('/oauth2/token', { ...machine, ...own }, { Authorization: right }),
    told: oneOnly,
  },
  {
    name: 'two ways at once, secret and assertion',
    send: form('/oauth2/token', {
      ...machine,
      ...own,
      client_assertion: 'a.b.c',
      client_assertion_type: assertionType,
    }),
    told: oneOnly,
  },
  {
    name: 'one client in the header, another in the body',
    send: form('/oauth2/token', { ...machine, client_id: 'demo-web' }, { Authorization: right }),
    told: toClient(400, 'invalid_request', /client_id mismatch/),
  },
  {
    name: 'two secrets',
    send: form('/oauth2/token', `${new URLSearchParams({ ...machine, ...own })}&client_secret=${sentinel}`),
    told: toClient(400, 'invalid_request', /must not be provided twice/),
  },
  { name: 'no client at all', send: form('/oauth2/token', machine), told: none },
  ...['nobody', '__proto__', 'a\0b', '\ud800', 'demo-service '].map((client_id) => ({
    name: `the client ${JSON.stringify(client_id)} in the body`,
    send: form('/oauth2/token', { ...machine, client_id, client_secret: `${sentinel}-secret` }),
    told: failed,
  })),
  {
    name: 'a confidential client without its secret',
    send: form('/oauth2/token', { ...machine, client_id: 'demo-service' }),
    told: failed,
  },
  {
    name: 'a public client that is none of ours, revoking',
    send: form('/oauth2/revoke', { client_id: 'nobody', token: `${sentinel}-token` }),
    told: failed,
  },
  {
    name: 'the scheme in lower case, which is right (RFC 9110 §11.1)',
    send: form('/oauth2/token', machine, { Authorization: right.replace('Basic', 'bAsIc') }),
    told: taken(200, /"access_token":/),
  },
];
