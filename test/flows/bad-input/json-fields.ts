import { demo } from '../../support/deployment.ts';
import { type BadInput, json, sentinel, taken, toProgram } from './row.ts';

const { email } = demo;
const password = `${sentinel}-field`;

/** The pointers name the fields that are wrong; '' is the whole. */
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
    name: `the fields inside ${name}, where they fill in nothing`,
    send: json('/auth/login', `{"${name}":${JSON.stringify({ email, password })}}`),
    told: toProgram(400, 'validation_failed', /see 'errors'/),
  },
  {
    name: `sign-up with ${name} beside good fields`,
    send: json('/auth/register', `{"email":"proto@example.com","password":true,"${name}":{"isAdmin":true}}`),
    told: toProgram(400, 'validation_failed', /see 'errors'/),
  },
]);

/** A client that isn't a public one of our own can't use the JSON API, whatever else is right. */
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

/** Refresh tokens that are none, all told alike. */
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
    told: toProgram(400, 'validation_failed', /see 'errors'/, pointers),
  })),
  {
    name: 'a public first-party client, which may be named',
    send: json('/auth/login', { email, password: demo.password, clientId: demo.firstPartyClient }),
    told: taken(200, /"accessToken":/),
  },
  ...inherited,
  ...unknown.map((refreshToken) => ({
    name: `/auth/refresh of ${JSON.stringify(refreshToken).slice(0, 40)}`,
    send: json('/auth/refresh', { refreshToken }),
    told: toProgram(401, 'invalid_grant', /Sign in again/),
  })),
  ...clients.flatMap((clientId) =>
    calls.map(([path, body]) => ({
      name: `${path} for the client ${JSON.stringify(clientId)}`,
      send: json(path, { ...body, clientId }),
      told: toProgram(403, 'client_not_allowed', /public first-party client/),
    })),
  ),
];
