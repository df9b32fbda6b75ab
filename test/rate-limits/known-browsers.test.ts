import { expect, test } from '@jest/globals';
import { createServerKeys } from '../../provider/lib/server-keys.ts';
import { createKnownBrowsers } from '../../provider/rate-limits/known-browsers.ts';
import { createManualClock } from '../support/manual-clock.ts';

const [ann, ben] = ['ann@example.com', 'ben@example.com'];
const day = 86_400_000;
const aBrowser = { id: expect.any(String), tokenVersion: 1 };

function createWorld(secrets: [string, ...string[]] = ['a-secret-of-the-servers']) {
  const clock = createManualClock();
  const keys = createServerKeys(secrets);
  const browsers = createKnownBrowsers({ keys, clock, issuer: 'https://id.example.com' });
  /** The cookie of a browser after a sign-in of the account, and the header that set it. */
  const know = (email: string, cookie?: string, tokenVersion = 1) => {
    const lines: string[] = [];
    const ctx = {
      cookies: { get: (name: string) => (name === '__Host-gatehouse_known' ? cookie : undefined) },
      append: (_field: string, value: string) => void lines.push(value),
    };
    browsers.know(ctx, { email, tokenVersion });
    const [line = ''] = lines;
    return { line, cookie: /^__Host-gatehouse_known=([^;]+);/.exec(line)?.[1] ?? '' };
  };
  return { clock, know, browserOf: browsers.browserOf };
}

test('a browser is known for the account that signed in there, and for no other', () => {
  const { know, browserOf } = createWorld();
  const { cookie, line } = know(ann);
  expect(browserOf(cookie, ann)).toEqual(aBrowser);
  expect(browserOf(cookie, ben)).toBeUndefined();
  expect(browserOf(undefined, ann)).toBeUndefined();
  expect(line).toMatch(/; path=\/; max-age=15552000; secure; httponly; samesite=lax$/);
  expect(line).not.toContain('ann');
});

test('a browser is known for every spelling of the address', () => {
  const { know, browserOf } = createWorld();
  const { cookie } = know(' Ann@Bücher.example.');
  expect(browserOf(cookie, 'ann@xn--bcher-kva.example')).toEqual({ id: expect.any(String), tokenVersion: 1 });
});

test('a cookie that Gatehouse did not write is not accepted', () => {
  const { know, browserOf } = createWorld();
  const { cookie } = know(ann);
  const [since = '', id = '', tag = ''] = cookie.split('~');
  const forged = [
    `${Number(since) + 1}~${id}~${tag}`,
    `${since}~${id}0~${tag}`,
    `${since}~${id.replace('-', '1-')}~${tag}`,
    `${since}~${id}x~${tag}`,
    `${since}~${id}~${'A'.repeat(22)}`,
    `${since}~${id}~`,
    `~~${tag}`,
    '',
    '.'.repeat(5000),
    createWorld(['another-secret']).know(ann).cookie,
  ];
  for (const text of forged) expect(browserOf(text, ann)).toBeUndefined();
});

test('a few accounts share a browser; those that signed in last are kept', () => {
  const { know, browserOf } = createWorld();
  let { cookie } = know(ann);
  const first = browserOf(cookie, ann);
  cookie = know(ben, cookie).cookie;
  expect(browserOf(cookie, ann)).toEqual(first);
  expect(browserOf(cookie, ben)).toEqual(aBrowser);
  cookie = know(ann, cookie).cookie;
  expect(cookie.split('.')).toHaveLength(2);
  for (const name of ['c', 'd', 'e']) cookie = know(`${name}@example.com`, cookie).cookie;
  expect(cookie.split('.')).toHaveLength(4);
  expect(browserOf(cookie, ann)).toEqual(aBrowser);
  expect(browserOf(cookie, ben)).toBeUndefined();
});

test('the cookie shows the token version that the account had, and can’t be given another one', () => {
  const { know, browserOf } = createWorld();
  const { cookie } = know(ann, undefined, 41);
  expect(browserOf(cookie, ann)).toMatchObject({ tokenVersion: 41 });
  expect(browserOf(cookie.replace('-41~', '-42~'), ann)).toBeUndefined();
  expect(browserOf(know(ann, cookie, 42).cookie, ann)).toMatchObject({ tokenVersion: 42 });
});

test('however many browsers an account signs in with, they have eight ids', () => {
  const { know, browserOf, clock } = createWorld();
  const ids = new Set<string | undefined>();
  for (let index = 0; index < 500; index += 1) {
    clock.advance(1000);
    ids.add(browserOf(know(ann).cookie, ann)?.id);
  }
  expect(ids.size).toBe(8);
});

test('it expires after 180 days, even if the browser keeps the cookie', () => {
  const { know, browserOf, clock } = createWorld();
  const { cookie } = know(ann);
  clock.advance(180 * day - 1000);
  expect(browserOf(cookie, ann)).toBeDefined();
  clock.advance(1000);
  expect(browserOf(cookie, ann)).toBeUndefined();
});
