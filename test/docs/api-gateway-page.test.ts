import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import { doctorRules } from '../../provider/doctor/examine.ts';
import { blocksOf } from '../support/page-blocks.ts';

const page = readFileSync('docs/api-gateway.md', 'utf8');

test('the page about API Gateway lists the rules of the doctor, in their order', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, id, requires]) => ({
    id,
    requires,
  }));
  expect(rows).toEqual(doctorRules.map(({ id, requires }) => ({ id, requires })));
});

describe('the code that reads claims behind API Gateway', () => {
  const code = blocksOf(page).find(({ language }) => language === 'js')?.text ?? '';
  const { listClaim, textClaim, flagClaim, callerOf } = runInNewContext(
    `${code}; ({ listClaim, textClaim, flagClaim, callerOf })`,
  ) as Record<string, (value: unknown) => unknown>;
  /** Values of another context have other prototypes. */
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value ?? null));

  /** The forms that the page shows: of an HTTP API, of a REST API, and of a header mapping of a REST API. */
  const claims = { sub: 'user_1', exp: 1_700_000_000, email_verified: true, roles: ['CLIENT', 'ADMIN'] };
  const asText = (value: unknown) => (Array.isArray(value) ? `[${value.join(' ')}]` : String(value));
  const forms = {
    http: asText,
    rest: (value: unknown) => value,
    mapping: (value: unknown) => JSON.stringify(value),
  };

  test('the page shows the forms that the code is tested with', () => {
    for (const [name, value] of Object.entries(claims))
      for (const form of [forms.http(value), forms.mapping(value)]) {
        const row = page.split('\n').find((line) => line.startsWith(`| \`"${name}": `));
        expect(row).toContain(`\`${form}\``);
      }
  });

  test.each(Object.entries(forms))('reads lists, text and flags in the form %s', (_name, form) => {
    expect(plain(listClaim?.(form(claims.roles)))).toEqual(claims.roles);
    expect(plain(listClaim?.(form(['one'])))).toEqual(['one']);
    expect(plain(listClaim?.(form([])))).toEqual([]);
    expect(textClaim?.(form(claims.sub))).toBe('user_1');
    expect(flagClaim?.(form(true))).toBe(true);
    expect(flagClaim?.(form(false))).toBe(false);
  });

  test('reads every name that GATEHOUSE_APIS_FILE allows, also with brackets and commas', () => {
    const names = ['a:b', '[x]', 'x,y', ']', '{}', "it's"];
    for (const form of Object.values(forms)) expect(plain(listClaim?.(form(names)))).toEqual(names);
  });

  test('takes a missing claim as empty, and never fails on text that only begins with a quote', () => {
    expect(plain([listClaim?.(undefined), textClaim?.(undefined), flagClaim?.(undefined)])).toEqual([
      [],
      null,
      false,
    ]);
    expect(textClaim?.('"a b"@example.com')).toBe('"a b"@example.com');
  });

  test.each([
    ['an HTTP API', { jwt: { claims: { sub: 'user_1', scope: 'a b', roles: '[CLIENT]' }, scopes: null } }],
    ['a REST API', { claims: { sub: 'user_1', scope: 'a b', roles: ['CLIENT'] } }],
  ])('gives the caller from an event of %s', (_name, authorizer) => {
    expect(plain(callerOf?.({ requestContext: { authorizer } }))).toMatchObject({
      subject: 'user_1',
      scopes: ['a', 'b'],
      roles: ['CLIENT'],
      permissions: [],
      emailVerified: false,
    });
  });
});
