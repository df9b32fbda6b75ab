import { demo } from '../../support/deployment.ts';
import { type BadInput, form, json, page, toClient, toPerson, toProgram } from './row.ts';

const { email, password } = demo;
const login = { email, password };
const notFound = toProgram(404, 'not_found', /nothing at this address/);
const pageNotFound = toPerson(404, 'not_found', /./);

const methods: [path: string, wrong: string[], allowed: RegExp][] = [
  ['/auth/login', ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE', 'PROPFIND'], /POST/],
  ['/auth/register', ['GET', 'PUT'], /POST/],
  ['/user/profile', ['POST', 'DELETE', 'PATCH'], /GET/],
  ['/oauth2/authorize', ['PUT', 'DELETE', 'TRACE'], /GET or POST/],
  ['/oauth2/logout', ['PUT', 'DELETE'], /GET or POST/],
  ['/oauth2/logout/confirm', ['GET', 'PUT'], /POST/],
  ['/oauth2/logout/success', ['POST'], /GET/],
  ['/.well-known/openid-configuration', ['POST', 'DELETE'], /GET/],
  ['/.well-known/jwks.json', ['POST', 'PROPFIND'], /GET/],
  ['/openapi.json', ['POST'], /GET/],
  ['/', ['POST', 'DELETE', 'TRACE'], /GET/],
];
const protocolMethods: [path: string, wrong: string[], allowed: RegExp][] = [
  ['/oauth2/token', ['GET', 'PUT', 'HEAD', 'TRACE', 'PROPFIND'], /POST/],
  ['/oauth2/par', ['GET', 'DELETE'], /POST/],
  ['/oauth2/introspect', ['GET', 'PATCH'], /POST/],
  ['/oauth2/revoke', ['GET', 'PUT'], /POST/],
  ['/oauth2/userinfo', ['PUT', 'DELETE', 'HEAD'], /GET or POST/],
];

/** Another spelling of a path is another path, so it can't bypass a limit by path. */
const spelt = [
  ['POST', '//oauth2/token'],
  ['POST', '/./oauth2/token'],
  ['POST', '/x/../oauth2/token'],
  ['POST', '/oauth2%2ftoken'],
  ['POST', '/oauth2/token/'],
  ['POST', '/oauth2//token'],
  ['POST', '/OAUTH2/token'],
  ['POST', '/oauth2/token%00'],
  ['POST', '/oauth2/token;x=y'],
  ['POST', '/oauth2\\token'],
  ['POST', '/auth/login/'],
  ['POST', '/AUTH/LOGIN'],
  ['POST', '/auth/l%6fgin'],
  ['POST', '/auth/login%20'],
  ['POST', '/auth/login;x=y'],
  ['GET', '/user/profile/'],
  ['GET', '/User/Profile'],
  ['GET', '/oauth2'],
  ['GET', '/oauth2/nothing'],
  ['GET', '/.well-known/nothing'],
  ['GET', '/.well-known/'],
  ['GET', '/%00'],
  ['GET', '/%'],
  ['GET', '/%zz%ff'],
  ['GET', '//evil.example/'],
  ['GET', '/\\evil.example'],
  ['GET', '/..//evil.example'],
  ['GET', '/%2e%2e/'],
  ['GET', '/%0d%0aLocation:%20x'],
  ['GET', '/assets/nothing.css'],
  ['GET', '/assets/..%2f..%2fpackage.json'],
  ['GET', '/assets/../package.json'],
  ['GET', '/interaction'],
  ['GET', '/.env'],
  ['GET', `/${'a'.repeat(15_000)}`],
  ['GET', `/?${'a=b&'.repeat(3_000)}`.replace('/?', '/nothing?')],
];

/** Unknown paths and methods. */
export const pathsAndMethods: BadInput[] = [
  ...methods.flatMap(([path, wrong, allowed]) =>
    wrong.map((method) => ({
      name: `${method} ${path}`,
      send: { method, path },
      expected: toProgram(405, 'method_not_allowed', new RegExp(`Use .*${allowed.source.split(' ')[0]}`)),
    })),
  ),
  ...protocolMethods.flatMap(([path, wrong, allowed]) =>
    wrong.map((method) => ({
      name: `${method} ${path}`,
      send: { method, path },
      expected: toClient(405, 'invalid_request', new RegExp(`Use .*${allowed.source}`)),
    })),
  ),
  ...spelt.map(([method, path = '']) => ({
    name: `${method} ${path.slice(0, 60)}`,
    send:
      method === 'POST'
        ? path.toLowerCase().startsWith('/auth')
          ? json(path, login)
          : form(path, { grant_type: 'client_credentials' })
        : { path },
    expected: notFound,
  })),
  ...['/nothing', '/oauth2', '/oauth2/nothing', '/assets/nothing.css', '/%00'].map((path) => ({
    name: `a person at ${path}`,
    send: page(path),
    expected: pageNotFound,
  })),
  { name: 'a person below /auth', send: page('/auth/nothing'), expected: notFound },
  {
    name: 'a program that prefers HTML at the JSON API',
    send: page('/user/profile'),
    expected: toProgram(401, 'invalid_token', /access token is missing/),
  },
  {
    name: 'a program that prefers HTML at the token endpoint',
    send: form('/oauth2/token', { grant_type: 'x' }, { Accept: 'text/html, */*; q=.2' }),
    expected: toClient(400, 'invalid_request', /no client authentication/),
  },
  {
    name: 'a malformed Accept header',
    send: { path: '/nothing', headers: { Accept: ';;,,q=x/\u00ff' } },
    expected: notFound,
  },
  {
    name: 'malformed forwarded headers',
    send: {
      path: '/nothing',
      headers: { Forwarded: 'for="[;,,="', 'X-Forwarded-For': ',,\u00ff, ::1%x', 'X-Forwarded-Proto': '://' },
    },
    expected: notFound,
  },
];
