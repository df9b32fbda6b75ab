import '../../provider/oidc/runtime-notice.ts';
import { expect, test } from '@jest/globals';
import { routeOf } from '../../provider/http/route-of.ts';
import { routes } from '../../provider/oidc/configuration.ts';

test.each([
  ...Object.values(routes),
  '/',
  '/auth/login',
  '/user/profile',
  '/account',
  '/account/end',
  '/openapi.json',
])('%s is a label by itself', (path) => {
  expect(routeOf(path)).toBe(path);
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
  expect(routeOf(path)).toBe(label);
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
])('%j has no label of its own', (path) => {
  expect(routeOf(path)).toBe('unknown');
});
