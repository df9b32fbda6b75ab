import { describe, expect, test } from '@jest/globals';
import { readVerifyTarget } from '../../provider/json-api/verify-target.ts';
import type { GatehouseError } from '../../provider/lib/errors.ts';

const api = 'https://api.example.com';
const inPath = encodeURIComponent(api);
const nothing = { scopes: [] };

const problemOf = (target: string) => {
  try {
    return readVerifyTarget(target);
  } catch (error) {
    return (error as GatehouseError).code;
  }
};

describe('parameters are read from the query for gateways with a fixed address', () => {
  test.each<[string, object]>([
    ['', nothing],
    ['?', nothing],
    [`?audience=${api}`, { audience: api, scopes: [] }],
    [`?audience=${inPath}&scope=a%20b+c`, { audience: api, scopes: ['a', 'b', 'c'] }],
    ['?scope=a&scope=b&scope=a', { scopes: ['a', 'b'] }],
    ['?scope=contracts:read', { scopes: ['contracts:read'] }],
    ['?scope=a%2Bb', { scopes: ['a+b'] }],
    ['?acr=urn:a+urn:b&acr=urn:a&max_age=600', { scopes: [], acr: ['urn:a', 'urn:b'], maxAgeSeconds: 600 }],
  ])('%s', (behind, wanted) => {
    expect(readVerifyTarget(`/auth/verify${behind}`)).toEqual(wanted);
  });
});

describe('parameters are read from before the slash for gateways that append the path and query of the request', () => {
  test.each<[string, object]>([
    ['/', nothing],
    ['/orders/1?page=2', nothing],
    [`;audience=${inPath}/`, { audience: api, scopes: [] }],
    [`;audience=${inPath};scope=a%20b;scope=c/orders?x=y`, { audience: api, scopes: ['a', 'b', 'c'] }],
    [';scope=a+b/', { scopes: ['a+b'] }],
    [';scope=a=b/', { scopes: ['a=b'] }],
    [';scope=a', { scopes: ['a'] }],
    [';acr=urn%3Aa%20b;max_age=1/?max_age=9', { scopes: [], acr: ['urn:a', 'b'], maxAgeSeconds: 1 }],
  ])('%s', (behind, wanted) => {
    expect(readVerifyTarget(`/auth/verify${behind}`)).toEqual(wanted);
  });
});

/** Paths that the sender of a request can choose. The gateway appends them to its own prefix. */
const hostile = [
  `/?audience=${api}`,
  `/;audience=${inPath}`,
  '/;scope=a',
  '/..',
  `/../verify?audience=${api}`,
  `/../../auth/verify;audience=${inPath}`,
  `/%2e%2e/verify?audience=${api}`,
  `//auth/verify?audience=${api}`,
  `/%2Fauth%2Fverify?audience=${api}`,
  `/?audience=${api}&audience=${api}#audience=${api}`,
  `/\\..\\verify?audience=${api}`,
  '/&scope=a&audience=x',
  `/%3Faudience=${api}`,
];

describe('the path of the request cannot change the parameters of the gateway', () => {
  test.each(hostile)('%s', (request) => {
    expect(readVerifyTarget(`/auth/verify${request}`)).toEqual(nothing);
    const wanted = { audience: 'urn:mine', scopes: ['admin'] };
    expect(readVerifyTarget(`/auth/verify;audience=urn%3Amine;scope=admin${request}`)).toEqual(wanted);
  });

  test('also in unusual request targets without a slash', () => {
    expect(readVerifyTarget('/auth/verify;scope=admin?scope=a')).toEqual({ scopes: ['admin'] });
    expect(readVerifyTarget('/auth/verify;scope=admin*')).toEqual({ scopes: ['admin*'] });
    expect(problemOf('/auth/verify*')).toBe('invalid_request');
    expect(problemOf('/auth/verify#/?scope=a')).toBe('invalid_request');
  });

  test('a gateway prefix with a query, which is a mistake, only makes the check stricter', () => {
    const prefix = '/auth/verify?audience=urn:mine&scope=admin';
    for (const [request, scope] of [
      ['/', 'admin/'],
      ['/orders', 'admin/orders'],
      ['/?scope=a', 'admin/?scope=a'],
    ])
      expect(problemOf(`${prefix}${request}`)).toEqual({ audience: 'urn:mine', scopes: [scope] });
    expect(problemOf(`${prefix}/&scope=`)).toBe('invalid_request');
    expect(problemOf(`${prefix}/&audience=urn:other`)).toBe('invalid_request');
    expect(problemOf(`${prefix}/&scope=a`)).toEqual({ audience: 'urn:mine', scopes: ['admin/', 'a'] });
  });
});

describe('targets of wrongly configured gateways are refused', () => {
  test.each([
    '?scope=',
    '?scope=a%20%20b',
    '?scope=%20a',
    '?scope=%22',
    '?audience=urn:a&audience=urn:b',
    '?acr=',
    '?acr=%22',
    '?acr_values=a',
    '?max_age=',
    '?max_age=0',
    '?max_age=-1',
    '?max_age=1.5',
    '?max_age=1e3',
    '?max_age=9999999999',
    '?max_age=60&max_age=60',
    '?page=2',
    '?Scope=a',
    '?scopes=a',
    ';',
    ';/',
    ';scope/',
    ';scope=/orders',
    ';audience=urn%3Aa;audience=urn%3Ab/',
    ';scope=%zz/',
    ';scope=a;x=y/',
    'x',
    '.',
    '%2F',
  ])('%s', (behind) => {
    expect(problemOf(`/auth/verify${behind}`)).toBe('invalid_request');
  });

  test.each(['', '/', '/auth/login', '/auth\\verify', '/AUTH/VERIFY', 'http://a/auth/verify'])(
    '%j',
    (target) => {
      expect(problemOf(target)).toBe('invalid_request');
    },
  );
});
