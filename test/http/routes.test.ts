import '../../provider/oidc/runtime-notice.ts';
import { describe, expect, test } from '@jest/globals';
import type Router from '@koa/router';
import { associationPaths } from '../../provider/http/app-associations.ts';
import { assets } from '../../provider/http/assets.ts';
import { publishedDocuments } from '../../provider/http/published-documents.ts';
import { matchRoute, table } from '../../provider/http/routes.ts';
import { accountRoutes } from '../../provider/interactions/account/account-routes.ts';
import { mailLinkRoutes } from '../../provider/interactions/mail-link-pages.ts';
import { homeRoutes } from '../../provider/interactions/protocol-pages.ts';
import { recoveryRoutes } from '../../provider/interactions/recovery-pages.ts';
import { interactionRoutes } from '../../provider/interactions/routes.ts';
import { jsonApiEndpoints } from '../../provider/json-api/endpoints.ts';
import { registrationRoutes } from '../../provider/json-api/registration-routes.ts';
import { verifyHandler } from '../../provider/json-api/verify.ts';
import { routes as libraryRoutes } from '../../provider/oidc/configuration.ts';

test.each([
  ...Object.values(libraryRoutes),
  '/',
  '/auth/login',
  '/auth/login/second-factor',
  '/user/profile',
  '/account',
  '/account/end',
  '/openapi.json',
])('%s is its own label', (path) => {
  expect(matchRoute('GET', path).label).toBe(path);
});

test.each([
  ['/interaction/Xa-_9', '/interaction/:uid'],
  ['/interaction/Xa-_9/sign-in', '/interaction/:uid/sign-in'],
  ['/interaction/Xa-_9/sign-up', '/interaction/:uid/sign-up'],
  ['/interaction/Xa-_9/consent', '/interaction/:uid/consent'],
  ['/oauth2/authorize/Xa-_9', '/oauth2/authorize/:uid'],
  ['/device/Xa-_9', '/device/:uid'],
  ['/assets/gatehouse.css', '/assets/:file'],
  ['/auth/verify', '/auth/verify'],
  ['/auth/verify/orders/1', '/auth/verify'],
  ['/auth/verify;scope=a/orders/1', '/auth/verify'],
])('%s is counted as %s', (path, label) => {
  expect(matchRoute('GET', path).label).toBe(label);
});

test.each([
  '/interaction/a/b',
  '/interaction/a/sign-in/b',
  '/oauth2/authorize/a/b',
  '/device/a/b',
  '/assets/a/b',
  '/auth/login/',
  '/AUTH/LOGIN',
  '/auth/verifyx',
  '/x/auth/verify',
  '/wp-admin.php',
  '//',
  '',
])('%j has no separate label', (path) => {
  expect(matchRoute('GET', path).label).toBe('unknown');
});

describe('the table of routes', () => {
  const endpoints = jsonApiEndpoints({} as never);
  const associations = Object.fromEntries(associationPaths.map((path) => [path, {}]));
  const documents = publishedDocuments({ associations } as never);
  const routers: Router[] = [
    homeRoutes({ issuer: '' } as never),
    assets(new Map()),
    interactionRoutes({} as never),
    recoveryRoutes({} as never),
    mailLinkRoutes({} as never),
    accountRoutes({} as never),
    registrationRoutes({} as never),
  ];
  const served = [
    ...Object.keys(verifyHandler({} as never)).map((path) => ({ method: 'GET', path })),
    ...Object.keys(documents).flatMap((path) =>
      ['GET', 'HEAD', 'OPTIONS'].map((method) => ({ method, path })),
    ),
    ...endpoints.flatMap(({ method, path }) =>
      [...(method === 'get' ? ['GET', 'HEAD'] : ['POST']), 'OPTIONS'].map((one) => ({ method: one, path })),
    ),
    ...routers.flatMap((router) =>
      router.stack.flatMap(({ path, methods }) => {
        const example = String(path).replace(/:\w+/g, 'x');
        return methods.map((method) => ({ method, path: example.replace(/(?<=.)\/$/, '') }));
      }),
    ),
  ];

  test('has a row for every handler and every route of the routers, with its methods', () => {
    expect(served.length).toBeGreaterThan(30);
    const missing = served.filter(
      ({ method, path }) => matchRoute(method, path).route?.servedBy !== 'gatehouse',
    );
    expect(missing).toEqual([]);
  });

  test('has no row without a handler or a route of a router with its methods', () => {
    const isServed = (label: string, method: string) =>
      served.some((one) => matchRoute(one.method, one.path).label === label && one.method === method);
    const rows = table.filter(({ servedBy }) => servedBy === 'gatehouse');
    const missing = rows.flatMap(({ label, methods }) =>
      methods
        .filter((method) => !isServed(label, method === '*' ? 'GET' : method))
        .map((m) => `${m} ${label}`),
    );
    expect(missing).toEqual([]);
  });

  test('has a row for every path of the library, and no other row for the library', () => {
    const { jwks, ...served } = libraryRoutes;
    const ofLibrary = [
      ...Object.values(served),
      // The library derives these paths.
      `${served.authorization}/:uid`,
      `${served.code_verification}/:uid`,
      `${served.end_session}/confirm`,
      `${served.end_session}/success`,
    ];
    const rows = table.filter(({ servedBy }) => servedBy === 'library').map(({ label }) => label);
    expect([...new Set(rows)].sort()).toEqual(ofLibrary.sort());
    expect(matchRoute('GET', jwks).route?.servedBy).toBe('gatehouse');
  });

  test('gives every route a limit, or the reason why it stores nothing and reads no store', () => {
    const reasons = table.flatMap(({ limit }) =>
      typeof limit === 'object' && 'none' in limit ? limit.none : [],
    );
    expect(new Set(reasons).size).toBe(4);
    for (const reason of reasons) expect(reason).toMatch(/reads and writes no store|nothing is stored/);
    const unlimited = table.filter(({ limit }) => typeof limit === 'object' && 'none' in limit);
    expect(
      [
        ...new Set(unlimited.filter(({ methods }) => methods[0] !== 'OPTIONS').map(({ label }) => label)),
      ].sort(),
    ).toEqual(
      [
        '/',
        '/.well-known/apple-app-site-association',
        '/.well-known/assetlinks.json',
        '/.well-known/jwks.json',
        '/.well-known/oauth-authorization-server',
        '/.well-known/openid-configuration',
        '/.well-known/webauthn',
        '/assets/:file',
        '/auth/verify',
        '/oauth2/authorize',
        '/oauth2/logout',
        '/openapi.json',
      ].sort(),
    );
  });

  test('has at most one row for each method of a path', () => {
    const keys = table.flatMap(({ label, methods }) => methods.map((method) => `${method} ${label}`));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('has the same bodies, CORS and error formats as the JSON API', () => {
    for (const { method, path, body } of endpoints) {
      const { route } = matchRoute(method.toUpperCase(), path);
      expect(route).toMatchObject({ kind: 'api', cors: 'registered', body: body ? 'configured' : 'unread' });
    }
  });
});
