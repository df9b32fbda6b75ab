import { type BadInput, form, page, taken, toApp, toClient, toPerson, toProgram } from './row.ts';
import type { World } from './world.ts';

type Parameters = Record<string, string | undefined>;

const asked = (parameters: Parameters) => (world: World) =>
  page(world.authorize(parameters), { Cookie: world.cookie() });
const unsupported = ['unsupported_response_type', /unsupported response_type/] as const;
const unsigned = 'eyJhbGciOiJub25lIn0.e30.';

/** Errors that the app gets at its redirect URI. */
const wrong: [name: string, parameters: Parameters, code: string, says: RegExp][] = [
  ['response_type token', { response_type: 'token' }, ...unsupported],
  ['response_type id_token', { response_type: 'id_token', nonce: 'n' }, ...unsupported],
  ['response_type code id_token', { response_type: 'code id_token', nonce: 'n' }, ...unsupported],
  ['response_type none', { response_type: 'none' }, ...unsupported],
  ['response_type __proto__', { response_type: '__proto__' }, ...unsupported],
  ['no response_type', { response_type: undefined }, 'invalid_request', /missing.*response_type/],
  ['response_mode query.jwt', { response_mode: 'query.jwt' }, 'unsupported_response_mode', /response_mode/],
  [
    'response_mode constructor',
    { response_mode: 'constructor' },
    'unsupported_response_mode',
    /response_mode/,
  ],
  [
    'no code_challenge',
    { code_challenge: undefined, code_challenge_method: undefined },
    ...(['invalid_request', /PKCE/] as const),
  ],
  [
    'a challenge without method, which means plain',
    { code_challenge_method: undefined },
    'invalid_request',
    /plain|code_challenge/,
  ],
  [
    'code_challenge_method plain',
    { code_challenge_method: 'plain' },
    'invalid_request',
    /code_challenge_method/,
  ],
  ['a method without challenge', { code_challenge: undefined }, 'invalid_request', /code_challenge/],
  ['a challenge that is too short', { code_challenge: 'short' }, 'invalid_request', /code_challenge/],
  ['a challenge of NULs', { code_challenge: '\0'.repeat(43) }, 'invalid_request', /code_challenge/],
  [
    "a scope that isn't in its document",
    { scope: 'openid contracts:write' },
    'invalid_scope',
    /contracts:write/,
  ],
  ["an OpenID Connect scope that isn't in its document", { scope: 'openid email' }, 'invalid_scope', /scope/],
  ['a NUL in a scope', { scope: 'openid\0' }, 'invalid_scope', /invalid characters/],
  ['an unknown resource', { resource: 'https://unknown.example' }, 'invalid_target', /./],
  ['a resource that isn’t a URL', { resource: 'http://[' }, 'invalid_target', /absolute URI/],
  ['a request object', { request: unsigned }, 'request_not_supported', /^$/],
  ['registration', { registration: '{}' }, 'registration_not_supported', /^$/],
  ['an unknown prompt', { prompt: 'perhaps' }, 'invalid_request', /prompt/],
  ['prompt none with another', { prompt: 'none login' }, 'invalid_request', /prompt/],
  ['a negative max_age', { max_age: '-1' }, 'invalid_request', /max_age/],
  ['max_age 1e999', { max_age: '1e999' }, 'invalid_request', /max_age/],
  ['an id_token_hint that is no JWT', { id_token_hint: 'a.b.c' }, 'invalid_request', /id_token_hint/],
  ['an id_token_hint without a signature', { id_token_hint: unsigned }, 'invalid_request', /id_token_hint/],
  ['claims that aren’t JSON', { claims: '{' }, 'invalid_request', /claims parameter JSON/],
  ['claims that are an array', { claims: '[]' }, 'invalid_request', /JSON object/],
  ['claims 1,500 deep', { claims: '['.repeat(1_500) }, 'invalid_request', /claims parameter JSON/],
  [
    'claims without a value',
    { claims: '{"id_token":null}' },
    'invalid_request',
    /id_token should be an object/,
  ],
  [
    'a request_uri of another site',
    { request_uri: 'https://evil.example/request' },
    'request_uri_not_supported',
    /^$/,
  ],
  [
    'a request_uri that was never pushed',
    { request_uri: 'urn:ietf:params:oauth:request_uri:made-up' },
    ...(['invalid_request_uri', /expired, or was already used/] as const),
  ],
];

/** Errors that only a page can show, because the client is unknown. */
const unknownClients: [name: string, parameters: Parameters, code: string, says: RegExp][] = [
  ['an unknown client', { client_id: 'unknown' }, 'invalid_client', /client is invalid/],
  ['a client with a NUL', { client_id: 'exact\0' }, 'invalid_client', /client is invalid/],
  ['the client __proto__', { client_id: '__proto__' }, 'invalid_client', /client is invalid/],
  ['the client constructor', { client_id: 'constructor' }, 'invalid_client', /client is invalid/],
  ['the client in another case', { client_id: 'EXACT' }, 'invalid_client', /client is invalid/],
  ['markup for a client', { client_id: '<script>alert(1)</script>' }, 'invalid_client', /client is invalid/],
  ['a client of 1,500 characters', { client_id: 'a'.repeat(1_500) }, 'invalid_client', /client is invalid/],
  ['no client', { client_id: undefined }, 'invalid_request', /client_id/],
];

/** Odd values that Gatehouse ignores. */
const odd: [name: string, parameters: Parameters][] = [
  ['a NUL in state, nonce and login_hint', { state: '\0', nonce: '\0', login_hint: 'a\0b' }],
  ['a line break in state', { state: '\r\nSet-Cookie: a=b' }],
  ['a state of 1,500 characters', { state: 's'.repeat(1_500) }],
  ['unknown languages', { ui_locales: '\0 __proto__ '.repeat(50), claims_locales: 'xx-\u{1f600}' }],
  ['acr_values __proto__', { acr_values: '__proto__ constructor' }],
  [
    'claims with the names of properties',
    { claims: '{"__proto__":{"a":1},"id_token":{"__proto__":null,"constructor":{}}}' },
  ],
];

const url = '/oauth2/authorize';

/** Invalid authorization requests from a browser with a session. */
export const authorizationRequests: BadInput[] = [
  ...wrong.map(([name, parameters, code, says]) => ({
    name: `${name} at the authorization endpoint`,
    send: asked(parameters),
    expected: toApp(code, says),
  })),
  ...unknownClients.map(([name, parameters, code, says]) => ({
    name: `${name} at the authorization endpoint`,
    send: asked(parameters),
    expected: toPerson(400, code, says),
  })),
  ...odd.map(([name, parameters]) => ({
    name: `${name} at the authorization endpoint`,
    send: asked({ ...parameters, prompt: 'login' }),
    expected: taken(303, /\/interaction\//),
  })),
  {
    name: 'a state twice',
    send: (world) => page(`${world.authorize({ state: undefined })}&state=a&state=b`),
    expected: toApp('invalid_request', /'state' parameter must not be provided twice/),
  },
  {
    name: 'a client twice',
    send: (world) => page(`${world.authorize()}&client_id=demo-spa`),
    expected: toPerson(400, 'invalid_request', /must not be provided twice/),
  },
  {
    name: 'a client in brackets',
    send: (world) =>
      page(`${world.authorize({ client_id: undefined })}&client_id[]=exact&client_id[a]=exact`),
    expected: toPerson(400, 'invalid_request', /client_id/),
  },
  { name: 'no parameters', send: page(url), expected: toPerson(400, 'invalid_request', /missing|client_id/) },
  {
    name: 'an authorization request as JSON',
    send: { method: 'POST', path: url, headers: { 'Content-Type': 'application/json' }, body: '{}' },
    expected: toProgram(415, 'unsupported_media_type', /Send a form/),
  },
  {
    name: 'an authorization request with a state of 6,000 characters',
    send: asked({ state: 's'.repeat(6_000) }),
    expected: toPerson(413, 'payload_too_large', /at most 2048 are accepted\. The longest is state/),
  },
  {
    name: 'a logout with a state of 6,000 characters',
    send: page(`/oauth2/logout?state=${'s'.repeat(6_000)}`),
    expected: toPerson(413, 'payload_too_large', /The longest is state/),
  },
  {
    name: 'a pushed request of 50 KB',
    send: form('/oauth2/par', { client_id: 'exact', acr_values: 'x'.repeat(50_000) }),
    expected: toClient(413, 'invalid_request', /The longest is acr_values/),
  },
  {
    name: 'an authorization request by a form of 9 KB',
    send: form(url, { state: 'x'.repeat(9_000) }, { Accept: 'text/html' }),
    expected: toPerson(413, 'payload_too_large', /at most 2048 are accepted\. The longest is state/),
  },
  {
    name: 'an authorization request by a form that is no UTF-8',
    send: form(url, Buffer.from([0x61, 0x3d, 0xff])),
    expected: toProgram(400, 'invalid_request', /UTF-8/),
  },
  {
    name: 'a pushed request that names another one',
    send: form('/oauth2/par', { client_id: 'exact', client_secret: 'exact-secret', request_uri: 'x' }),
    expected: toClient(400, 'request_uri_not_supported', /^$/),
  },
  {
    name: 'a pushed request with nothing in it',
    send: form('/oauth2/par', { client_id: 'exact', client_secret: 'exact-secret' }),
    expected: toClient(400, 'invalid_request', /missing required parameter/),
  },
  {
    name: 'a pushed request of 60 KB',
    send: form('/oauth2/par', { client_id: 'exact', state: 'x'.repeat(60_000) }),
    expected: toClient(413, 'invalid_request', /at most 56 KiB/),
  },
  {
    name: 'an unknown return address',
    send: page('/oauth2/authorize/%ff', { Cookie: 'gatehouse_resume=x; gatehouse_resume.sig=y' }),
    expected: toPerson(400, 'interaction_expired', /expired/),
  },
];
