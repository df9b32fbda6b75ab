import { demo } from '../../support/deployment.ts';
import { type BadInput, json, sentinel, taken, toProgram } from './row.ts';

const { email } = demo;
const password = `${sentinel}-one-field`;

/** The pointers name the wrong fields; '' is the whole body. */
const wrong: [path: string, body: unknown, pointers: string[]][] = [
  ['/auth/login', {}, ['/email', '/password']],
  ['/auth/login', [], ['']],
  ['/auth/login', [{ email, password }], ['']],
  ['/auth/login', 'null', ['']],
  ['/auth/login', 'true', ['']],
  ['/auth/login', '"text"', ['']],
  ['/auth/login', '1e999', ['']],
  ['/auth/login', { email }, ['/password']],
  ['/auth/login', { email: null, password: null }, ['/email', '/password']],
  ['/auth/login', { email: 1, password: ['a'] }, ['/email', '/password']],
  ['/auth/login', '{"email":1e999,"password":-1e999}', ['/email', '/password']],
  ['/auth/login', { email: { $ne: null }, password }, ['/email']],
  ['/auth/login', { email: [email], password: { toString: 'x' } }, ['/email', '/password']],
  ['/auth/login', { email, password, admin: true }, ['']],
  ['/auth/login', { Email: email, PASSWORD: password }, ['/email', '/password', '']],
  ['/auth/login', { email, password, clientId: 5 }, ['/clientId']],
  ['/auth/login', { email, password, clientId: '' }, ['/clientId']],
  ['/auth/login', { email, password, clientId: null }, ['/clientId']],
  ['/auth/login', { email, password, clientId: 'a'.repeat(129) }, ['/clientId']],
  ['/auth/login', { email: 'a'.repeat(255), password }, ['/email']],
  ['/auth/login', { email, password: 'a'.repeat(1025) }, ['/password']],
  ['/auth/refresh', {}, ['/refreshToken']],
  ['/auth/refresh', { refreshToken: '' }, ['/refreshToken']],
  ['/auth/refresh', { refreshToken: ['a'] }, ['/refreshToken']],
  ['/auth/refresh', { refreshToken: 'a'.repeat(513) }, ['/refreshToken']],
  ['/auth/refresh', { refreshToken: 'a', scope: 'openid' }, ['']],
  ['/auth/logout', {}, ['/refreshToken']],
  ['/auth/logout', { refreshToken: true }, ['/refreshToken']],
  ['/auth/register', {}, ['/email', '/password']],
  ['/auth/register', { email }, ['/password']],
  ['/auth/register', { email: 'new@example.com', password, roles: ['ADMIN'] }, ['']],
  ['/auth/register', { email: 'new@example.com', password, id: 'user_x', emailVerified: true }, ['']],
  ['/auth/register', { email: 'a'.repeat(255), password: 'a'.repeat(1025) }, ['/email', '/password']],
];

const inherited = ['__proto__', 'constructor', 'prototype'].flatMap((name) => [
  {
    name: `the fields inside ${name}, which don’t count`,
    send: json('/auth/login', `{"${name}":${JSON.stringify({ email, password })}}`),
    expected: toProgram(400, 'validation_failed', /see 'errors'/),
  },
  {
    name: `sign-up with ${name} and valid fields`,
    send: json('/auth/register', `{"email":"proto@example.com","password":true,"${name}":{"isAdmin":true}}`),
    expected: toProgram(400, 'validation_failed', /see 'errors'/),
  },
]);

/** Only a public first-party client can use the JSON API. */
const clients = [
  'nobody',
  'demo-spa',
  'demo-web',
  'demo-service',
  'first-party-backend',
  '__proto__',
  'a\0b',
];
const calls: [path: string, body: object][] = [
  ['/auth/login', { email, password: demo.password }],
  ['/auth/refresh', { refreshToken: `${sentinel}.x` }],
  ['/auth/logout', { refreshToken: `${sentinel}.x` }],
];

/** Invalid refresh tokens, which all get the same answer. */
const unknown = [
  `${sentinel}.x`,
  'a',
  '\0',
  'fam_\0.x',
  'fam_*.x',
  '__proto__',
  '\ud800.\udfff',
  `${sentinel}.`.repeat(50),
];

/** Missing, huge, repeated and mistyped fields of the JSON API. */
export const jsonFields: BadInput[] = [
  ...wrong.map(([path, body, pointers]) => ({
    name: `${path} of ${JSON.stringify(body).slice(0, 80)}`,
    send: json(path, body),
    expected: toProgram(400, 'validation_failed', /see 'errors'/, pointers),
  })),
  {
    name: 'a public first-party client',
    send: json('/auth/login', { email, password: demo.password, clientId: demo.firstPartyClient }),
    expected: taken(200, /"accessToken":/),
  },
  ...inherited,
  ...unknown.map((refreshToken) => ({
    name: `/auth/refresh of ${JSON.stringify(refreshToken).slice(0, 40)}`,
    send: json('/auth/refresh', { refreshToken }),
    expected: toProgram(401, 'invalid_grant', /Sign in again/),
  })),
  ...clients.flatMap((clientId) =>
    calls.map(([path, body]) => ({
      name: `${path} for the client ${JSON.stringify(clientId)}`,
      send: json(path, { ...body, clientId }),
      expected: toProgram(403, 'client_not_allowed', /public first-party client/),
    })),
  ),
];
