import { describe, expect, test } from '@jest/globals';
import { pageHeaders } from '../../provider/interactions/page-headers.ts';

function directives(formAction?: string[]): Record<string, string> {
  const policy = pageHeaders(formAction ? { formAction } : {})['Content-Security-Policy'] ?? '';
  return Object.fromEntries(
    policy.split('; ').map((directive) => [directive.split(' ')[0], directive.replace(/^\S+ /, '')]),
  );
}

const formAction = (...uris: string[]) => directives(uris)['form-action'];

test('a page may load the stylesheet of Gatehouse and https images, and nothing else', () => {
  expect(directives()).toEqual({
    'default-src': "'none'",
    'style-src': "'self'",
    'img-src': "'self' https:",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'base-uri': "'none'",
  });
});

test('a page with work for our script may load it from Gatehouse, and may connect to nothing', () => {
  const policy = pageHeaders({ hasScript: true })['Content-Security-Policy'] ?? '';
  expect(policy.split('; ')).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'"]));
  expect(policy).not.toMatch(/connect-src|unsafe|nonce|strict-dynamic/);
});

test('a page is not framed, sniffed or cached, and its URL is not sent to other sites', () => {
  expect(pageHeaders()).toMatchObject({
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
});

describe('form-action', () => {
  test.each([
    ['https://app.example.com/callback?a=b', 'https:'],
    ['HTTPS://User:Secret@App.Example.com:8443/', 'https:'],
    ["https://evil.example;script-src'unsafe-inline'/", 'https:'],
    ['https://evil.example,default-src/', 'https:'],
    ['https://*/', 'https:'],
    ['http://localhost:8080/callback', 'http://localhost:8080'],
    ['http://127.0.0.1:51004/callback', 'http://127.0.0.1:51004'],
    ['http://bücher.example/callback', 'http://xn--bcher-kva.example'],
    ['com.example.app:/callback', 'com.example.app:'],
    ['com.example.app://host/callback', 'com.example.app:'],
    ['http://[::1]:8080/callback', 'http:'],
    ['http://my_app.example:8080/callback', 'http:'],
  ])('for %s names %s', (uri, source) => {
    expect(formAction(uri)).toBe(`'self' ${source}`);
  });

  test.each([
    "http://evil.example;script-src'unsafe-inline'/",
    'http://evil.example,default-src/',
    'http://*/',
    'http://*.example.com/',
    'http://evil.example\r\nSet-Cookie: a=b',
    "'unsafe-inline'",
    '*',
    'https:',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:https://evil.example/1',
    'file:///etc/passwd',
    'not an address',
    '',
  ])('leaves out %j', (uri) => {
    expect(formAction(uri)).toBe("'self'");
    expect(Object.keys(directives([uri]))).toEqual(Object.keys(directives()));
  });

  test('names each source once', () => {
    expect(formAction('https://a.example/1', 'https://b.example/2', 'http://localhost:8080/')).toBe(
      "'self' https: http://localhost:8080",
    );
  });
});
