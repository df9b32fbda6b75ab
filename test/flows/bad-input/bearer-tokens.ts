import { type BadInput, form, type Request, sentinel, toClient, toProgram } from './row.ts';

const noToken = toProgram(401, 'invalid_token', /missing, expired, revoked or not ours/);
const format = toClient(400, 'invalid_request', /authorization header value format/);
const invalid = toClient(401, 'invalid_token', /invalid token provided/);
const oneOnly = toClient(400, 'invalid_request', /only be provided using one mechanism/);
const unsigned = `eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"user_x"}').toString('base64url')}.`;

/** The answer of userinfo to each header. `/user/profile` always answers the same. */
const headers: [name: string, Authorization: string, userinfo: typeof format][] = [
  ['no token after Bearer', 'Bearer', format],
  ['a blank after Bearer', 'Bearer ', format],
  ['two tokens', `Bearer ${sentinel} ${sentinel}`, format],
  ['a list of tokens', `Bearer ${sentinel}, Bearer ${sentinel}`, format],
  ['another scheme', `Basic ${sentinel}`, toClient(400, 'invalid_request', /scheme must be `Bearer`/)],
  [
    'a DPoP token without a proof',
    `DPoP ${sentinel}`,
    toClient(400, 'invalid_request', /`DPoP` header not provided/),
  ],
  ['a made-up token', `Bearer ${sentinel}-made-up`, invalid],
  ['the scheme in lower case', `bearer ${sentinel}-made-up`, invalid],
  ['a token of 9 KB', `Bearer ${sentinel.repeat(1_100)}`, invalid],
  ['a token that isn’t ASCII', `Bearer \u00e9\u00ff`, invalid],
  ['a token without a signature', `Bearer ${unsigned}`, invalid],
  ['a token of dots', 'Bearer ....', invalid],
  ['a value with the form of a refresh token', `Bearer fam_x.${sentinel}`, invalid],
];

const rows: [name: string, send: Request, expected: typeof format][] = [
  [
    'userinfo without a token',
    { path: '/oauth2/userinfo' },
    toClient(401, 'invalid_token', /no access token/),
  ],
  [
    'a token in the query',
    { path: `/oauth2/userinfo?access_token=${sentinel}-in-query` },
    toClient(400, 'invalid_request', /must not be provided via query/),
  ],
  [
    'a token in the query and the header',
    { path: `/oauth2/userinfo?access_token=${sentinel}`, headers: { Authorization: `Bearer ${sentinel}` } },
    oneOnly,
  ],
  ['a made-up token in a form', form('/oauth2/userinfo', { access_token: `${sentinel}-in-form` }), invalid],
  [
    'a token in a form and the header',
    form('/oauth2/userinfo', { access_token: sentinel }, { Authorization: `Bearer ${sentinel}` }),
    oneOnly,
  ],
  [
    'two tokens in a form',
    form('/oauth2/userinfo', `access_token=${sentinel}&access_token=${sentinel}`),
    toClient(400, 'invalid_request', /must not be provided twice|invalid/),
  ],
  [
    'a token in JSON',
    {
      method: 'POST',
      path: '/oauth2/userinfo',
      headers: { 'Content-Type': 'application/json' },
      body: `{"access_token":"${sentinel}"}`,
    },
    toClient(415, 'invalid_request', /Send a form/),
  ],
  [
    '1 MiB at userinfo',
    form('/oauth2/userinfo', 'x'.repeat(1 << 20)),
    toClient(413, 'invalid_request', /56 KiB/),
  ],
  [
    'a token with an invalid proof',
    { path: '/oauth2/userinfo', headers: { Authorization: `DPoP ${sentinel}`, DPoP: 'x' } },
    toClient(401, 'invalid_dpop_proof', /DPoP/),
  ],
  ['a profile without a token', { path: '/user/profile' }, noToken],
  ['a profile with a token in the query', { path: `/user/profile?access_token=${sentinel}` }, noToken],
];

/** Invalid access tokens, and access tokens sent in a wrong way. */
export const bearerTokens: BadInput[] = [
  ...headers.flatMap(([name, Authorization, userinfo]) => [
    {
      name: `userinfo with ${name}`,
      send: { path: '/oauth2/userinfo', headers: { Authorization } },
      expected: userinfo,
    },
    {
      name: `a profile with ${name}`,
      send: { path: '/user/profile', headers: { Authorization } },
      expected: noToken,
    },
  ]),
  ...rows.map(([name, send, expected]) => ({ name, send, expected })),
];
