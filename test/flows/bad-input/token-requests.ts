import { demo } from '../../support/deployment.ts';
import { pkce } from '../../support/test-client.ts';
import { type BadInput, form, sentinel, taken, toClient } from './row.ts';
import { callback, type World } from './world.ts';

const service = { client_id: 'demo-service', client_secret: 'demo-service-secret' };
const exact = { client_id: 'exact', client_secret: 'exact-secret' };
const firstParty = { client_id: 'demo-first-party' };
const password = { grant_type: 'password', username: demo.email, password: demo.password };
const machine = { grant_type: 'client_credentials' };
const at = '/oauth2/token';

const redeeming = (code: string, changes: Record<string, string> = {}) =>
  form(at, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: callback,
    code_verifier: pkce.verifier,
    ...exact,
    ...changes,
  });
const withNewCode = (changes: Record<string, string>) => async (world: World) =>
  redeeming(await world.code(), changes);

const badGrant = toClient(400, 'invalid_grant', /grant request is invalid/);
const noGrant = toClient(400, 'unsupported_grant_type', /unsupported grant_type/);
const badRequest = (says: RegExp) => toClient(400, 'invalid_request', says);
const badScope = toClient(400, 'invalid_scope', /./);
const noForm = toClient(415, 'invalid_request', /Send a form/);

/** Invalid grants of clients that authenticated. */
const grants: BadInput[] = [
  ...['', 'nonsense', '__proto__', 'constructor', 'Password', 'client_credentials\0', 'implicit'].map(
    (grant_type) => ({
      name: `the grant type ${JSON.stringify(grant_type)}`,
      send: form(at, { grant_type, ...service }),
      expected: grant_type === '' ? badRequest(/grant_type/) : noGrant,
    }),
  ),
  {
    name: 'two grant types',
    send: form(at, `${new URLSearchParams({ ...machine, ...service })}&grant_type=password`),
    expected: badRequest(/must not be provided twice/),
  },
  {
    name: 'a grant that its document does not list',
    send: form(at, { grant_type: 'refresh_token', refresh_token: 'x', ...service }),
    expected: toClient(400, 'unauthorized_client', /doesn't list the grant refresh_token/),
  },
  {
    name: 'a code that is used again',
    send: async (world) => {
      const code = await world.code();
      const first = await world.exact.redeem(code);
      if (first.status !== 200) throw new Error(`the first use failed: ${JSON.stringify(first.body)}`);
      return redeeming(code);
    },
    expected: badGrant,
  },
  {
    name: 'a code with another verifier',
    send: withNewCode({ code_verifier: 'w'.repeat(43) }),
    expected: badGrant,
  },
  { name: 'a code with an empty verifier', send: withNewCode({ code_verifier: '' }), expected: badGrant },
  {
    name: 'a code with a verifier of NULs',
    send: withNewCode({ code_verifier: '\0'.repeat(43) }),
    expected: badRequest(/code_verifier/),
  },
  {
    name: 'a code with a redirect URI that nearly matches',
    send: withNewCode({ redirect_uri: `${callback}/` }),
    expected: badGrant,
  },
  {
    name: "another client's code",
    send: withNewCode({ client_id: 'demo-web', client_secret: 'demo-web-secret' }),
    expected: badGrant,
  },
  ...['x', '\0', '*', '__proto__', sentinel.repeat(1_000)].map((code) => ({
    name: `the code ${JSON.stringify(code).slice(0, 40)}`,
    send: redeeming(code),
    expected: badGrant,
  })),
  ...[
    'x',
    '\0',
    'a.b',
    'fam_\0.x',
    'fam_*.x',
    '{fam}.x',
    '__proto__.x',
    `${sentinel}.${'x'.repeat(4_000)}`,
  ].map((value) => ({
    name: `the refresh token ${JSON.stringify(value).slice(0, 40)}`,
    send: form(at, { grant_type: 'refresh_token', refresh_token: value, ...firstParty }),
    expected: badGrant,
  })),
  {
    name: 'no refresh token',
    send: form(at, { grant_type: 'refresh_token', ...firstParty }),
    expected: badRequest(/missing required parameter.*refresh_token/),
  },
  {
    name: 'no password',
    send: form(at, { ...password, password: '', ...firstParty }),
    expected: badRequest(/missing.*password/),
  },
  {
    name: 'a password of 1 MiB by form',
    send: form(at, { ...password, password: sentinel.repeat(128 * 1024), ...firstParty }),
    expected: toClient(413, 'invalid_request', /at most 56 KiB/),
  },
  {
    name: 'a password of 2,000 characters by form',
    send: form(at, { ...password, password: sentinel.repeat(250), ...firstParty }),
    expected: toClient(400, 'invalid_grant', /at most 1024 characters/),
  },
  {
    name: 'a scope that is not listed',
    send: form(at, { ...password, scope: 'openid admin', ...firstParty }),
    expected: badScope,
  },
  {
    name: 'a scope with a NUL',
    send: form(at, { ...machine, scope: 'contracts:read\0', ...service }),
    expected: badScope,
  },
  {
    name: 'openid without a person',
    send: form(at, { ...machine, scope: 'openid', ...service }),
    expected: badScope,
  },
  {
    name: 'a resource that isn’t a URL',
    send: form(at, { ...machine, resource: 'http://[', ...service }),
    expected: toClient(400, 'invalid_target', /./),
  },
];

/** Invalid forms, at each endpoint that takes a form. */
const forms: BadInput[] = ['token', 'introspect', 'revoke', 'par'].flatMap((endpoint): BadInput[] => {
  const path = `/oauth2/${endpoint}`;
  const good = new URLSearchParams({ ...machine, ...service, token: 'x' }).toString();
  const typed = (type: string) => form(path, good, { 'Content-Type': type });
  return [
    {
      name: `JSON at ${path}`,
      send: { ...typed('application/json'), body: '{"grant_type":1}' },
      expected: noForm,
    },
    { name: `a multipart form at ${path}`, send: typed('multipart/form-data; boundary=x'), expected: noForm },
    {
      name: `a form without a content type at ${path}`,
      send: { method: 'POST', path, body: good },
      expected: noForm,
    },
    {
      name: `a form in Latin-1 at ${path}`,
      send: typed('application/x-www-form-urlencoded; charset=iso-8859-1'),
      expected: toClient(415, 'invalid_request', /UTF-8/),
    },
    {
      name: `a form that is compressed at ${path}`,
      send: form(path, good, { 'Content-Encoding': 'gzip' }),
      expected: toClient(415, 'invalid_request', /without compression/),
    },
    {
      name: `a form that isn’t UTF-8 at ${path}`,
      send: form(path, Buffer.concat([Buffer.from(`${good}&state=`), Buffer.from([0xc0, 0xaf])])),
      expected: badRequest(/UTF-8/),
    },
    {
      name: `1 MiB at ${path}`,
      send: form(path, 'x'.repeat(1 << 20)),
      expected: toClient(413, 'invalid_request', /56 KiB/),
    },
    {
      name: `an empty form at ${path}`,
      send: form(path, ''),
      expected: badRequest(/no client authentication/),
    },
    {
      name: `invalid escapes at ${path}`,
      send: form(path, 'client_id=%zz&client_secret=%&%=%%'),
      expected: toClient(401, 'invalid_client', /failed/),
    },
    {
      name: `the names of properties at ${path}`,
      send: form(path, '__proto__=a&__proto__[b]=c&constructor=d&hasOwnProperty=e&toString=f'),
      expected: badRequest(/no client authentication/),
    },
  ];
});

/** Invalid tokens. Introspection and revocation give no details (RFC 7662 §2.2, RFC 7009 §2.2). */
const unknown = [
  'x',
  '\0',
  'a.b.c',
  'eyJhbGciOiJub25lIn0.e30.',
  'fam_\0.x',
  '__proto__',
  `${sentinel}.`.repeat(2_000),
];
const tokens: BadInput[] = ['introspect', 'revoke'].flatMap((endpoint): BadInput[] => {
  const path = `/oauth2/${endpoint}`;
  const expected = taken(200, endpoint === 'introspect' ? /^\{"active":false\}$/ : /^$/);
  return [
    ...unknown.map((token) => ({
      name: `${path} of ${JSON.stringify(token).slice(0, 40)}`,
      send: form(path, { token, ...service }),
      expected,
    })),
    ...['__proto__', 'nonsense', '\0'].map((token_type_hint) => ({
      name: `${path} with the hint ${JSON.stringify(token_type_hint)}`,
      send: form(path, { token: 'x', token_type_hint, ...service }),
      expected,
    })),
    { name: `${path} without a token`, send: form(path, service), expected: badRequest(/missing.*token/) },
    {
      name: `${path} with an empty token`,
      send: form(path, { token: '', ...service }),
      expected: badRequest(/missing.*token/),
    },
    {
      name: `${path} with two tokens`,
      send: form(path, `${new URLSearchParams(service)}&token=a&token=b`),
      expected: badRequest(/must not be provided twice/),
    },
  ];
});

/** Wrong, missing, huge, repeated and mistyped parameters of the protocol's endpoints, and codes used twice. */
export const tokenRequests: BadInput[] = [...grants, ...forms, ...tokens];
